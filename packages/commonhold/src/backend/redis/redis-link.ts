import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { sleep, type Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type { Random } from '../../random.js';
import { connectFailure } from './classify.js';
import type { RedisClient } from './redis-client.js';

/** What a link needs. */
export interface RedisLinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Time for connecting with the handshake, and as much again for the greeting. */
  readonly handshakeMs: number;
  /** What must be done on a new connection before anything else is sent; rejects when the server is of no use. */
  readonly greet: () => Promise<void>;
  /** Called when a connection that was ready is lost. */
  readonly onLost: () => void;
  /** Whether it is left to somebody else to log that the connection is lost, and that it is back. */
  readonly silent?: boolean | undefined;
  /** Called after each connection is ready; `again` when there was one before. */
  readonly onReady: (again: boolean) => void;
}

/** Where a link stands. */
type LinkState = 'away' | 'ready' | 'closed';

const firstBackoffMs = 50;
const longestBackoffMs = 2_000;

/**
 * Keeps one client connected (K3). Three states:
 *
 * - away: an attempt is under way or waits for its turn, full jitter between 50 ms and 2 s. Every call fails at once.
 * - ready: entered when connect with handshake, and greeting, each succeeded in time. Left when the socket breaks or
 *   `giveUp()` is called; both go to away at once.
 * - closed: entered by `close()`, never left.
 *
 * The same client object is used again, so that the raw client handed to users stays valid.
 */
export class RedisLink {
  readonly client: RedisClient;
  readonly #options: RedisLinkOptions;
  readonly #closing = new AbortController();
  #state: LinkState = 'away';
  #reason = 'not connected yet';
  #wasReady = false;
  #socket: Socket | undefined;
  #bytesRead = 0;

  constructor(client: RedisClient, options: RedisLinkOptions) {
    this.client = client;
    this.#options = options;
    client.on('error', (error) => this.#lost(connectFailure(error)));
    // Whoever holds the raw client can destroy it, which is no error to the client.
    client.on('end', () => this.#lost('the connection was closed'));
    this.#countBytes();
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Why it is not ready, for people. */
  get reason(): string {
    return this.#reason;
  }

  /** Bytes of replies and messages received so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Makes the first attempt and resolves when it ended, well or not; further attempts go on by themselves. */
  async start(): Promise<void> {
    if (!(await this.#attempt())) {
      this.#logLost();
      void this.#reconnect();
    }
  }

  /** Destroys the connection, which settles everything in flight, and connects anew. */
  giveUp(reason: string): void {
    this.#lost(reason);
    this.#destroy();
  }

  close(): void {
    this.#state = 'closed';
    this.#reason = 'the state is closed';
    this.#closing.abort();
    this.#destroy();
  }

  #lost(reason: string): void {
    if (this.#state !== 'ready') return;
    this.#state = 'away';
    this.#reason = reason;
    this.#logLost();
    // What failed may be the reading of replies, with the socket still open. First the client settles its calls with its
    // own, better reason.
    queueMicrotask(() => this.#destroy());
    void this.#reconnect();
    this.#options.onLost();
  }

  #logLost(): void {
    if (this.#options.silent === true) return;
    this.#options.log.warn({ reason: this.#reason }, 'Redis is unreachable: calls fail until it is back');
  }

  #logBack(attempts: number): void {
    if (this.#options.silent !== true) this.#options.log.info({ attempts }, 'Redis is back');
  }

  // The client does not know its socket yet while that connects, and would let it go on and take it later.
  #destroy(): void {
    this.client.destroy();
    if (this.#socket?.connecting) this.#socket.destroy(new Error('given up'));
  }

  async #reconnect(): Promise<void> {
    const { clock, random } = this.#options;
    let tookMs = 0;
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      const ceilingMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** attempt);
      // From beginning to beginning: an attempt that nobody answered has been a wait itself.
      const waitMs = Math.max(firstBackoffMs, random.number() * ceilingMs - tookMs);
      // A process that only works for a queue must live through the break, as it does while the socket is open.
      const keepAlive = true;
      await sleep(clock, waitMs, this.#closing.signal, { keepAlive });
      if (this.#closing.signal.aborted) return;
      const beganAtMs = clock.monotonic();
      if (await this.#attempt()) return this.#logBack(attempt + 1);
      tookMs = clock.monotonic() - beganAtMs;
    }
  }

  async #attempt(): Promise<boolean> {
    try {
      await this.#inTime(this.#connect());
      await this.#inTime(this.#options.greet());
    } catch (error) {
      if (this.#state !== 'closed') this.#reason = connectFailure(error);
      this.#destroy();
      return false;
    }
    // Closed, or broken again, between the last answer and this line. A socket of TLS that connected only then is not
    // known to the client before.
    if (this.#state === 'closed') this.#destroy();
    if (this.#state === 'closed' || !this.client.isReady) return false;
    this.#state = 'ready';
    this.#reason = '';
    this.#options.onReady(this.#wasReady);
    this.#wasReady = true;
    return true;
  }

  // A large reply is no hang while it keeps coming. Node-redis shows neither its socket nor what arrives; its decoder is
  // the one place that all of it passes, with TLS too.
  #countBytes(): void {
    const decoder = this.client._getQueue?.().decoder;
    if (decoder === undefined) return;
    const write = decoder.write.bind(decoder);
    decoder.write = (chunk) => {
      this.#bytesRead += chunk.length;
      write(chunk);
    };
  }

  // Node announces each plain socket at its creation, which happens inside connect(). One of TLS it does not announce;
  // the client drops that itself when it does not connect in time.
  #connect(): Promise<unknown> {
    const created = channel('net.client.socket');
    const note = (message: unknown): void => {
      this.#socket ??= (message as { socket: Socket }).socket;
    };
    this.#socket = undefined;
    created.subscribe(note);
    try {
      return this.client.connect();
    } finally {
      created.unsubscribe(note);
    }
  }

  #inTime(work: Promise<unknown>): Promise<unknown> {
    const { clock, handshakeMs } = this.#options;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`no answer within ${handshakeMs} ms`));
      const timer = clock.setTimer(late, handshakeMs);
      work.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}
