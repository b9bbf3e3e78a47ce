import type { SharedState } from '../../src/shared-state.js';
import type { FeatureLoad, KeyOf } from './load.js';
import * as ofLocks from './lock-loads.js';
import * as ofState from './state-loads.js';
import * as ofTurns from './turn-loads.js';

export { type FeatureLoad, lostWrites, runLoads } from './load.js';

/** What a state has besides its features. */
type NoFeature =
  | 'namespace'
  | 'owner'
  | 'rawClient'
  | 'status'
  | 'probe'
  | 'awayCounts'
  | 'close'
  | 'on'
  | 'with'
  | symbol;

type MakeLoad = (one: SharedState, other: SharedState, key: KeyOf) => FeatureLoad | Promise<FeatureLoad>;

/** A feature that is not here does not compile: see `NoFeature`. */
const loads: Readonly<Record<Exclude<keyof SharedState, NoFeature>, MakeLoad>> = {
  cache: ofState.cacheLoad,
  counter: (one, _, key) => ofState.counterLoad(one, key),
  uniqueSet: (one, _, key) => ofState.uniqueSetLoad(one, key),
  map: ofState.mapLoad,
  channel: ofState.channelLoad,
  sessions: ofState.sessionLoad,
  rateLimit: (one, _, key) => ofTurns.rateLimitLoad(one, key),
  concurrency: ofTurns.concurrencyLoad,
  lock: ofTurns.lockLoad,
  readWriteLock: ofLocks.readWriteLockLoad,
  leader: ofLocks.leaderLoad,
  every: ofLocks.everyLoad,
  runOnce: ofTurns.runOnceLoad,
  queue: ofTurns.queueLoad,
  presence: ofState.presenceLoad,
  owners: (one, _, key) => ofState.ownersLoad(one, key),
};

/** What offers `durable`. Their names begin so. */
function durableLoads(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad[] {
  const { durableQueueLoad, durableLockLoad, durableSessionLoad } = ofTurns;
  return [durableQueueLoad(one, key), durableLockLoad(one, other), durableSessionLoad(one, other)];
}

/** Every feature at work in two processes; the second reads what the first writes where that matters. */
export async function featureLoads(one: SharedState, other: SharedState): Promise<FeatureLoad[]> {
  const key = (feature: string, tag: string): string => `${one.namespace}:${feature}:{${tag}}`;
  const made: FeatureLoad[] = [];
  for (const make of Object.values(loads)) made.push(await make(one, other, key));
  return [...made, ...durableLoads(one, other, key)];
}
