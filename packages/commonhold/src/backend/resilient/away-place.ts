import type { Clock } from '../../clock.js';
import type { Stored } from '../../codec/stored.js';
import type { MemoryStore } from '../memory/memory-store.js';
import type { JournalScope } from './journal-scope.js';
import type { AwayTally } from './resilient-port.js';

/** What the away twins of one set of keys are given. */
export interface AwayPlace {
  readonly clock: Clock;
  readonly journal: JournalScope;
  /** What processes do by themselves meanwhile, they do here. */
  readonly memory: MemoryStore;
  /** Counts what was answered here. */
  readonly tally: AwayTally;
  /** Tells the subscribers of this process. */
  tell(channel: string, message: Stored): void;
  /** `name#incarnation` of this process. */
  readonly owner: string;
  /**
   * Calls `listener` when the store is there again, and when it lost data: before anything else goes there. `leftAtMs`: since
   * when what was acknowledged may be missing, by the monotonic clock.
   */
  onReturn(listener: (leftAtMs: number) => void): void;
  /** How many processes were alive when the store was heard last; at least 1. */
  processes(): number;
}
