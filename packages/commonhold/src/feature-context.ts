import type { AwayChoices } from './away.js';
import type { Bus } from './backend/bus.js';
import type { Wakes } from './backend/wakes.js';
import type { Clock } from './clock.js';
import type { Codec } from './codec/codec.js';
import type { Keys } from './keys.js';
import type { Log } from './log.js';
import type { Owner } from './owner.js';
import type { Random } from './random.js';

/** What every front is given besides its port. */
export interface FeatureContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly codec: Codec;
  readonly keys: Keys;
  readonly owner: Owner;
  readonly wakes: Wakes;
  readonly bus: Bus;
  /** What uses do without the store that choose nothing themselves. */
  readonly away: AwayChoices;
}
