import type { Clock, Timer } from '../../clock.js';

/** What an idle watch needs to know of a connection. */
export interface WatchedConnection {
  ready(): boolean;
  /** Bytes received so far. */
  bytesRead(): number;
  /** Has the server answer something. Must not throw; the answer does not matter. */
  ask(): void;
}

/** Two looks without a byte between them are 1 to 2 s of silence; with 500 ms for the hang verdict that is below 3 s. */
const lookEveryMs = 1_000;

/**
 * Asks the server something after 1 to 2 s of silence. A connection on which nobody calls and only messages are awaited
 * would else look idle for ever after a firewall forgot it (F06): the question is in flight, so the hang is noticed.
 */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #connection: WatchedConnection;
  #timer: Timer;
  #seenBytes = 0;

  constructor(clock: Clock, connection: WatchedConnection) {
    this.#clock = clock;
    this.#connection = connection;
    this.#timer = this.#start();
  }

  close(): void {
    this.#timer.cancel();
  }

  #start(): Timer {
    return this.#clock.setTimer(() => this.#look(), lookEveryMs);
  }

  #look(): void {
    const bytesRead = this.#connection.bytesRead();
    if (this.#connection.ready() && bytesRead === this.#seenBytes) this.#connection.ask();
    this.#seenBytes = bytesRead;
    this.#timer = this.#start();
  }
}
