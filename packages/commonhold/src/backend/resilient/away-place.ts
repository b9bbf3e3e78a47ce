import type { Clock } from '../../clock.js';
import type { Journal } from './journal.js';

/** What away twins are given: one for all of a state and its views. */
export interface AwayPlace {
  readonly clock: Clock;
  readonly journal: Journal;
  /** `name#incarnation` of this process. */
  readonly owner: string;
  /** How many processes were alive when the store was heard last; at least 1. */
  processes(): number;
}
