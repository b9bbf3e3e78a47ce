import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { sleep, type Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type { Random } from '../../random.js';
import { connectFailure } from './classify.js';
import type { RedisClient } from './redis-client.js';

export interface RedisLinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Time for connecting, the handshake and the greeting together. */
  readonly handshakeMs: number;
  /** What must be done on a new connection before anything else is sent. */
  readonly greet: () => Promise<void>;
  /** Called after each connection is ready; `again` when there was one before. */
  readonly onReady: (again: boolean) => void;
}

const firstBackoffMs = 50;
const longestBackoffMs = 2_000;

/**
 * Keeps one client connected (K3). Three states:
 *
 * - away: an attempt is under way or waits for its turn, full jitter between 50 ms and 2 s. Every call fails at once.
 * - ready: entered when connect, handshake and greeting succeeded within their deadline. Left when the socket breaks or
 *   `hang()` is called; both go to away at once.
 * - closed: entered by `close()`, never left.
 *
 * The same client object is used again, so that the raw client handed to users stays valid.
 */
export class RedisLink {
  readonly client: RedisClient;
  readonly #options: RedisLinkOptions;
  readonly #closing = new AbortController();
  #state: 'away' | 'ready' | 'closed' = 'away';
  #reason = 'not connected yet';
  #wasReady = false;
  #socket: Socket | undefined;

  constructor(client: RedisClient, options: RedisLinkOptions) {
    this.client = client;
    this.#options = options;
    client.on('error', (error) => this.#lost(connectFailure(error)));
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** Why it is not ready, for people. */
  get reason(): string {
    return this.#reason;
  }

  /** Bytes received on the present socket, where it can be seen (not with TLS). */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  /** Makes the first attempt and resolves when it ended, well or not; further attempts go on by themselves. */
  async start(): Promise<void> {
    if (!(await this.#attempt())) {
      this.#options.log.warn({ reason: this.#reason }, 'Redis is unreachable: calls fail until it is back');
      void this.#reconnect();
    }
  }

  /** The verdict that the connection hangs: destroys it, which settles everything in flight, and connects anew. */
  hang(): void {
    this.client.destroy();
    this.#lost('no byte arrived in time');
  }

  close(): void {
    this.#state = 'closed';
    this.#reason = 'the state is closed';
    this.#closing.abort();
    this.client.destroy();
  }

  #lost(reason: string): void {
    if (this.#state !== 'ready') return;
    this.#state = 'away';
    this.#reason = reason;
    this.#options.log.warn({ reason }, 'Redis is unreachable: calls fail until it is back');
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { clock, random, log } = this.#options;
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      const ceilingMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** attempt);
      await sleep(clock, Math.max(firstBackoffMs, random.number() * ceilingMs), this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      if (await this.#attempt()) return log.info({ attempts: attempt + 1 }, 'Redis is back');
    }
  }

  async #attempt(): Promise<boolean> {
    try {
      await this.#inTime(this.#connect());
    } catch (error) {
      if (this.#state !== 'closed') this.#reason = connectFailure(error);
      this.client.destroy();
      return false;
    }
    // Closed, or broken again, between the last answer and this line.
    if (this.#state === 'closed' || !this.client.isReady) return false;
    this.#state = 'ready';
    this.#reason = '';
    this.#options.onReady(this.#wasReady);
    this.#wasReady = true;
    return true;
  }

  async #connect(): Promise<void> {
    await this.#seeSocket(() => this.client.connect());
    await this.#options.greet();
  }

  // node-redis does not show its socket, and the hang verdict wants to know about every byte. Node announces each
  // plain socket at its creation, which happens inside connect().
  #seeSocket(connect: () => Promise<unknown>): Promise<unknown> {
    const created = channel('net.client.socket');
    const note = (message: unknown): void => {
      this.#socket ??= (message as { socket: Socket }).socket;
    };
    this.#socket = undefined;
    created.subscribe(note);
    try {
      return connect();
    } finally {
      created.unsubscribe(note);
    }
  }

  #inTime(work: Promise<void>): Promise<void> {
    const { clock, handshakeMs } = this.#options;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`no answer within ${handshakeMs} ms`));
      const timer = clock.setTimer(late, handshakeMs);
      work.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}
