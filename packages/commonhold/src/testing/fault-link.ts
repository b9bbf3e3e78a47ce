import { connect, type Socket } from 'node:net';
import { sleep, systemClock } from '../clock.js';
import { eventLoopTurn } from './waiting.js';

/** What a proxy does with the bytes of its connections. */
export interface FaultMode {
  /** Nothing passes in either direction, not even the news that the other side closed. */
  readonly dark?: boolean;
  /** A chunk came from the client. */
  request(link: FaultLink, chunk: Buffer): void;
  /** A chunk came from the server. */
  reply(link: FaultLink, chunk: Buffer): void;
}

/** One client connection of a proxy, and the connection to the server that belongs to it. */
export class FaultLink {
  readonly toServer: Lane;
  readonly toClient: Lane;
  /** Resolves once both sides are closed. */
  readonly closed: Promise<unknown>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #mode: () => FaultMode;
  #dark = false;
  #doomed = false;

  constructor(client: Socket, targetPort: number, mode: () => FaultMode) {
    this.#client = client.setNoDelay();
    this.#server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#mode = mode;
    this.toServer = new Lane(this.#server, () => this.#isDark());
    this.toClient = new Lane(client, () => this.#isDark());
    client.on('data', (chunk: Buffer) => this.#isDark() || mode().request(this, chunk));
    this.#server.on('data', (chunk: Buffer) => this.#isDark() || this.#reply(chunk));
    this.#join(client, this.#server, this.toServer);
    this.#join(this.#server, client, this.toClient);
    this.closed = Promise.all([socketClosed(client), socketClosed(this.#server)]);
  }

  /** Whether the client's side is still open. */
  get open(): boolean {
    return !this.#client.destroyed;
  }

  /** Sends RST to both sides at once; what was on its way is lost. */
  reset(): void {
    resetNow(this.#client);
    resetNow(this.#server);
  }

  /** Resets both sides in place of the next reply, which is lost. */
  doom(): void {
    this.#doomed = true;
  }

  /** Closes the client's side in good order after what is on its way; drops the server's side. */
  cut(): void {
    this.toClient.end();
    this.#server.destroy();
  }

  /** Tells the client that no more replies come, and keeps carrying its requests. */
  halfClose(): void {
    this.#server.removeAllListeners('data').resume();
    this.toClient.end();
  }

  #reply(chunk: Buffer): void {
    if (this.#doomed) this.reset();
    else this.#mode().reply(this, chunk);
  }

  /** Passes on how `from` ends, and holds it back while `to` cannot take more. */
  #join(from: Socket, to: Socket, lane: Lane): void {
    from.on('end', () => lane.end());
    from.on('error', () => this.#isDark() || resetNow(to));
    to.on('close', () => lane.close());
    to.on('drain', () => from.resume());
    lane.onFull = () => from.pause();
  }

  /** TCP never skips bytes, so a connection that lost something in the dark stays dark until it is closed. */
  #isDark(): boolean {
    this.#dark ||= this.#mode().dark === true;
    return this.#dark;
  }
}

/** One direction of a link: what is put in comes out in the same order, however long each chunk is held. */
export class Lane {
  /** Called when the receiver is slower than the sender. */
  onFull: () => void = () => {};
  readonly #to: Socket;
  readonly #isDark: () => boolean;
  readonly #closing = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(to: Socket, isDark: () => boolean) {
    this.#to = to;
    this.#isDark = isDark;
  }

  /** Passes `chunk` on, not before `delayMs` from now and not before what was sent earlier. */
  send(chunk: Buffer, delayMs = 0): void {
    const dueAtMs = systemClock.monotonic() + delayMs;
    this.#then(async () => {
      await this.#until(dueAtMs);
      this.#write(chunk);
    });
  }

  /** Passes `chunk` on byte by byte, with a turn of the event loop between two bytes so that they travel apart. */
  sendSplit(chunk: Buffer): void {
    this.#then(async () => {
      for (const byte of chunk) {
        this.#write(Buffer.of(byte));
        await eventLoopTurn();
      }
    });
  }

  /** Closes the receiving side in good order, after what is on its way. */
  end(): void {
    this.#then(() => {
      if (!this.#isDark()) this.#to.end();
    });
  }

  /** Ends all waiting: the receiver is gone. */
  close(): void {
    this.#closing.abort();
  }

  #then(step: () => void | Promise<void>): void {
    this.#last = this.#last.then(step);
  }

  /** Never early: a timer of the machine may fire a fraction of a millisecond before its time. */
  async #until(dueAtMs: number): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      const restMs = dueAtMs - systemClock.monotonic();
      if (restMs <= 0 || signal.aborted) return;
      await sleep(systemClock, restMs, signal);
    }
  }

  #write(chunk: Buffer): void {
    if (this.#to.destroyed || this.#isDark()) return;
    if (!this.#to.write(chunk)) this.onFull();
  }
}

/**
 * Sends RST and closes. `resetAndDestroy` ends the stream first; whoever destroys it before that has gone through (an
 * error does) then leaves it open for ever, because the system cannot reset what is being shut down.
 */
function resetNow(socket: Socket): void {
  const shuttingDown = socket.writableEnded && !socket.writableFinished;
  if (!shuttingDown) Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

function socketClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
