import type { Clock } from '../../clock.js';
import type { ServerFacts } from './server-facts.js';

/** A server that is short of memory drops keys all the time; what is put right after each loss costs something too. */
const toldEveryMs = 30_000;

/** Sees by what a server says of itself that it dropped live keys, which it tells nobody else. */
export class EvictionWatch {
  readonly #clock: Clock;
  readonly #tell: () => void;
  #seen: ServerFacts | undefined;
  #untold = false;
  #toldAtMs = -Infinity;

  /** @param tell called when keys were dropped, at most every 30 s. */
  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Takes what the server says of itself now. */
  see(facts: ServerFacts): void {
    const before = this.#seen;
    this.#seen = facts;
    this.#untold ||= before?.runId === facts.runId && facts.evictedKeys > before.evictedKeys;
    const nowMs = this.#clock.monotonic();
    if (!this.#untold || nowMs - this.#toldAtMs < toldEveryMs) return;
    this.#untold = false;
    this.#toldAtMs = nowMs;
    this.#tell();
  }
}
