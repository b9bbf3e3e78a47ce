import type { Clock, Timer } from '../../clock.js';
import { jittered, type Random } from '../../random.js';

/** What an idle watch needs to know of a connection. */
export interface WatchedConnection {
  ready(): boolean;
  /** Whether the server takes no writes at the moment: then it is asked more often. */
  refusing(): boolean;
  /** Bytes received so far. */
  bytesRead(): number;
  /** Has the server answer something. Must not throw; the answer does not matter. */
  ask(): void;
  /** Has the server prove that it takes writes and has what it had. Must not throw. */
  pulse(): void;
}

/** Two looks without a byte between them are 1 to 2 s of silence; with 500 ms for the hang verdict that is below 3 s. */
const lookEveryMs = 1_000;
/** With the time between two looks a pulse comes after 4.5 s at the latest. */
const longestPulseGapMs = 3_500;

/**
 * Asks the server something after 1 to 2 s of silence. A connection on which nobody calls and only messages are awaited
 * would else look idle for ever after a firewall forgot it (F06): the question is in flight, so the hang is noticed. Every
 * few seconds, and every second while the server takes no writes, the question is a pulse.
 */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #connection: WatchedConnection;
  #timer: Timer;
  #seenBytes = 0;
  #pulseAtMs: number;

  constructor(clock: Clock, random: Random, connection: WatchedConnection) {
    this.#clock = clock;
    this.#random = random;
    this.#connection = connection;
    this.#pulseAtMs = this.#nextPulseMs();
    this.#timer = this.#start();
  }

  /** A pulse was given. */
  pulsed(): void {
    this.#pulseAtMs = this.#nextPulseMs();
  }

  close(): void {
    this.#timer.cancel();
  }

  #nextPulseMs(): number {
    return this.#clock.monotonic() + jittered(this.#random, longestPulseGapMs);
  }

  #start(): Timer {
    return this.#clock.setTimer(() => this.#look(), lookEveryMs);
  }

  #look(): void {
    const bytesRead = this.#connection.bytesRead();
    if (this.#connection.ready()) this.#ask(bytesRead === this.#seenBytes);
    this.#seenBytes = bytesRead;
    this.#timer = this.#start();
  }

  #ask(silent: boolean): void {
    if (this.#connection.refusing() || this.#clock.monotonic() >= this.#pulseAtMs) this.#connection.pulse();
    else if (silent) this.#connection.ask();
  }
}
