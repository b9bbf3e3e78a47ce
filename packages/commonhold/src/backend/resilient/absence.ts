import type { Clock } from '../../clock.js';

/** A loss that comes without a break is noticed by the next pulse, within a second and its deadline. */
const noticedWithinMs = 2_000;

/** Since when a store may lack what it acknowledged. */
export class Absence {
  readonly #clock: Clock;
  #isThere: boolean;
  #leftAtMs: number;
  #returnedAtMs = -Infinity;

  constructor(clock: Clock, isThere: boolean) {
    this.#clock = clock;
    this.#isThere = isThere;
    this.#leftAtMs = clock.monotonic();
  }

  /** When the store was left, if that is over for a moment only; otherwise a moment ago. Monotonic. */
  get leftAtMs(): number {
    const nowMs = this.#clock.monotonic();
    const isRecent = !this.#isThere || nowMs - this.#returnedAtMs < noticedWithinMs;
    return isRecent ? this.#leftAtMs : nowMs - noticedWithinMs;
  }

  /** Takes whether the store is there; says whether it was not until now. */
  isOver(isThere: boolean): boolean {
    const wasThere = this.#isThere;
    this.#isThere = isThere;
    if (wasThere && !isThere) this.#leftAtMs = this.#clock.monotonic();
    if (isThere && !wasThere) this.#returnedAtMs = this.#clock.monotonic();
    return isThere && !wasThere;
  }
}
