import type { Clock } from './clock.js';
import { wholeNumber } from './codec/limits.js';
import { checkOptionNames, type OptionNames } from './option-names.js';

/** How a state closes. */
export interface StateCloseOptions {
  /**
   * By when it is closed, 0 to 2^31-1. Half of it is for running jobs to end, which are then aborted and given back. Default:
   * as long as it takes, which is 13 s where jobs run on, 5 s where locks are held on, and else the deadline of a call.
   */
  readonly timeoutMs?: number;
}

/** Something that had not ended when the state was closed. */
export interface AbandonedWork {
  readonly feature: 'queue' | 'lease' | 'store';
  /** What it is: `job <id> of queue <name>`, `Lock <name>`, `calls in flight`. */
  readonly what: string;
}

/** What became of closing. */
export interface CloseReport {
  /**
   * What was told to stop and did not in time. Jobs were given back to their queue, with no attempt charged, unless the
   * store was away; leases end by themselves; the outcome of calls is unknown.
   */
  readonly abandoned: readonly AbandonedWork[];
}

const names = { timeoutMs: true } satisfies OptionNames<StateCloseOptions>;
const longestMs = 2 ** 31 - 1;

/** How long the parts of a state may take to close, and what they leave undone. */
export class CloseLimit {
  /** Milliseconds from the start; undefined for as long as it takes. */
  readonly timeoutMs: number | undefined;
  readonly #abandoned: AbandonedWork[] = [];

  /** @throws InvalidArgumentError naming the option. */
  constructor(options: StateCloseOptions) {
    checkOptionNames('state close', options, names);
    const { timeoutMs } = options;
    this.timeoutMs = timeoutMs === undefined ? undefined : wholeNumber('close timeoutMs', timeoutMs, 0, 0, longestMs);
  }

  /** How long work may take to end that by itself would be given `byDefaultMs`; at least a millisecond. */
  graceMs(byDefaultMs: number): number {
    return Math.max(1, Math.min(byDefaultMs, Math.floor((this.timeoutMs ?? Infinity) / 2)));
  }

  abandon(work: AbandonedWork): void {
    this.#abandoned.push(work);
  }

  report(): CloseReport {
    return { abandoned: [...this.#abandoned] };
  }

  /** Whether `work` settled in time. */
  async within(work: Promise<unknown>, clock: Clock): Promise<boolean> {
    const { timeoutMs } = this;
    if (timeoutMs === undefined) return work.then(() => true);
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(() => resolve(false), timeoutMs, { keepAlive: true });
      work.then(() => resolve(true), reject).finally(() => timer.cancel());
    });
  }
}
