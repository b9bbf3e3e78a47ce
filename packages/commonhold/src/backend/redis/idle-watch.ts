import type { Clock, Timer } from '../../clock.js';

/** What an idle watch needs to know of a connection. */
export interface WatchedConnection {
  ready(): boolean;
  /** Bytes received so far. */
  bytesRead(): number;
  /** Has the server prove that it takes writes and has what it had; false where it cannot be asked that. Must not throw. */
  pulse(): boolean;
  /** Has the server answer something. Must not throw; the answer does not matter. */
  ask(): void;
}

/**
 * A second of writes is what a log that is synced once a second may lose, so it is also what is left between two pulses. With
 * 500 ms for the hang verdict a silent break is noticed within 2 s.
 */
const lookEveryMs = 1_000;

/**
 * Has a pulse given every second. A connection on which nobody calls and only messages are awaited would else look idle for
 * ever after a firewall forgot it (F06): the question is in flight, so the hang is noticed. A server that can have no pulse is
 * asked something else after a second of silence.
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
    if (this.#connection.ready() && !this.#connection.pulse() && bytesRead === this.#seenBytes) this.#connection.ask();
    this.#seenBytes = bytesRead;
    this.#timer = this.#start();
  }
}
