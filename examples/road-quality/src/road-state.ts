import type { Channel, OpenOptions, Presence, SharedState } from 'commonhold';
import type { Observation } from './observations/observation.js';
import { regionMap } from './regions.js';
import type { Settings } from './settings.js';
import { VisitedRegions } from './visited-regions.js';

/** What a member carries beside its user and its place. */
export interface Meta {
  readonly userAgent: string;
}

/** All that the processes of this system share, the database aside. */
export interface RoadState {
  readonly shared: SharedState;
  /** A member is a socket, by its id. */
  readonly presence: Presence<Meta>;
  readonly observations: Channel<Observation>;
  readonly visited: VisitedRegions;
}

/** Opens the shared state. */
export async function openRoadState(
  open: (options: OpenOptions & { readonly namespace: string }) => Promise<SharedState>,
  { layout, keyPrefix, silenceMs }: Settings,
): Promise<RoadState> {
  const shared = await open({ namespace: 'road' });
  return {
    shared,
    presence: shared.presence<Meta>('members', {
      silence: silenceMs,
      regions: regionMap,
      // A client is told that its place is not known, with 503, rather than shown its own process's drivers as if they were all.
      away: 'throw',
      ...(layout === 'documented' && { layout, prefix: keyPrefix }),
    }),
    observations: shared.channel<Observation>('observations', { keep: '5m' }),
    visited: new VisitedRegions(shared),
  };
}
