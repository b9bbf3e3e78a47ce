import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { FaultLink, type FaultMode } from './fault-link.js';
import {
  darkMode,
  delayMode,
  dropRepliesMode,
  dropReplyThenResetMode,
  hookedMode,
  passMode,
  type RequestHook,
  splitMode,
  truncateReplyMode,
} from './fault-modes.js';
import { freePort } from './free-port.js';

/** Where the proxy leads, and who watches. */
export interface FaultProxyOptions {
  /** The port of the server, on 127.0.0.1. */
  readonly port: number;
  /** The first {@link FaultProxy.onRequest}. */
  readonly onRequest?: RequestHook;
}

/** How many client connections there are and were. */
export interface ConnectionCount {
  readonly open: number;
  readonly total: number;
}

/**
 * A TCP proxy on 127.0.0.1 whose faults are switched while it runs. A mode holds for all connections, existing and new,
 * until another is chosen; what was already on its way keeps its place in the order.
 *
 * A chunk is what the system handed over at once. On a connection with one command in flight that is a whole command or
 * reply; on a busy one, count connections or bytes rather than replies.
 *
 * When the server closes or resets, so does the client's side; a server that is not there shows as a reset.
 */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  readonly connections: ConnectionCount;
  /** Called for each chunk from a client, in every mode but `blackhole`. Undefined: everything passes. */
  onRequest: RequestHook | undefined;
  /** No fault. After `refuse` the proxy listens on the same port again; resolves when it does. */
  pass(): Promise<void>;
  /** Every chunk, in both directions, arrives `ms` later; a round trip takes twice that. */
  delay(ms: number): void;
  /**
   * Nothing arrives and nothing closes, as when a firewall forgets a connection. Connects still succeed. After `pass`,
   * new connections work; so do those that were idle meanwhile. One that lost something stays dark until it is closed.
   */
  blackhole(): void;
  /** Resets all connections and stops listening: connects get ECONNREFUSED. Only `pass` and `stop` may follow. */
  refuse(): void;
  /**
   * Requests are executed, and the next `count` chunks of replies are lost; then as `pass`. A later reply on that
   * connection looks like the answer to an earlier request: the client should have given the connection up.
   */
  dropReplies(count: number): void;
  /**
   * The next request is executed, and its connection reset when the reply comes, which is lost; then as `pass`. For
   * calls whose outcome the client cannot know.
   */
  dropReplyThenReset(): void;
  /** The next reply ends after its first `bytes` bytes, and its connection with it; then as `pass`. */
  truncateReply(bytes: number): void;
  /** Every byte travels in a packet of its own. */
  splitBytes(): void;
  /** Sends RST on all connections now. The mode stays. */
  reset(): void;
  /** Sends FIN to all clients now, and keeps carrying their requests. The mode stays. */
  halfClose(): void;
  /** Resets what is open and stops listening. Calling it twice is harmless. */
  stop(): Promise<void>;
}

/** Starts a proxy in front of the server on `options.port`. The server need not run yet. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new TcpProxy(options, await freePort());
  await proxy.pass();
  return proxy;
}

class TcpProxy implements FaultProxy {
  readonly port: number;
  onRequest: RequestHook | undefined;
  readonly #targetPort: number;
  readonly #links = new Set<FaultLink>();
  /** Undefined while connections are refused. */
  #server: Server | undefined;
  #stopped = false;
  #mode: FaultMode = passMode;
  #total = 0;

  constructor(options: FaultProxyOptions, port: number) {
    this.port = port;
    this.#targetPort = options.port;
    this.onRequest = options.onRequest;
  }

  get connections(): ConnectionCount {
    return { open: [...this.#links].filter((link) => link.open).length, total: this.#total };
  }

  async pass(): Promise<void> {
    assert(!this.#stopped, 'the proxy was stopped');
    this.#mode = passMode;
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    await once(server.listen(this.port, '127.0.0.1'), 'listening');
    this.#server = server;
  }

  delay(ms: number): void {
    assert(ms >= 0 && Number.isFinite(ms), `delay: expected milliseconds, received ${ms}`);
    this.#switch(delayMode(ms));
  }

  blackhole(): void {
    this.#switch(darkMode);
  }

  refuse(): void {
    this.reset();
    this.#server?.close();
    this.#server = undefined;
  }

  dropReplies(count: number): void {
    assert(Number.isInteger(count) && count > 0, `dropReplies: expected a count of 1 or more, received ${count}`);
    this.#switch(dropRepliesMode(count, this.#passAgain));
  }

  dropReplyThenReset(): void {
    this.#switch(dropReplyThenResetMode(this.#passAgain));
  }

  truncateReply(bytes: number): void {
    assert(Number.isInteger(bytes) && bytes >= 0, `truncateReply: expected a number of bytes, received ${bytes}`);
    this.#switch(truncateReplyMode(bytes, this.#passAgain));
  }

  splitBytes(): void {
    this.#switch(splitMode);
  }

  reset(): void {
    for (const link of this.#links) link.reset();
  }

  halfClose(): void {
    for (const link of this.#links) link.halfClose();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.refuse();
    await Promise.all([...this.#links].map((link) => link.closed));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  readonly #passAgain = (): void => {
    this.#mode = passMode;
  };

  #switch(mode: FaultMode): void {
    assert(this.#server !== undefined, 'the proxy refuses connections: await pass() before another mode');
    this.#mode = mode;
  }

  #accept(client: Socket): void {
    this.#total += 1;
    const link = new FaultLink(client, this.#targetPort, () => hookedMode(this.#mode, this.onRequest));
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
  }
}
