import type { OpenOptions, SharedMap, SharedState } from 'commonhold';
import type { Settings } from './settings.js';
import { PersistentData } from './tracking/persistent-data.js';
import type { PersistentRecord } from './tracking/persistent-record.js';
import type { SessionRecord } from './tracking/session-record.js';

/** All that the processes of the rose tracker share. */
export interface RoseState {
  /** `rose:session:<id>`, each a JSON document that ends when no frame came for the time to live. */
  readonly activeSessions: SharedMap<SessionRecord>;
  /** `rose:persistent_data`, a JSON document without end, and the two sets of roses beside it. */
  readonly persistentData: PersistentData;
  readonly shared: SharedState;
}

/** Opens the shared state under the documented names. */
export async function openRoseState(
  open: (options: OpenOptions & { readonly namespace: string }) => Promise<SharedState>,
  { sessionTtlMs }: Settings,
): Promise<RoseState> {
  const shared = await open({ namespace: 'rose' });
  return {
    shared,
    activeSessions: shared.map<SessionRecord>('sessions', { prefix: 'rose:session', ttl: sessionTtlMs }),
    persistentData: new PersistentData({
      // Numbers of sessions are given out by it: each once, so never while another worker cannot see it.
      records: shared.map<PersistentRecord>('persistent-data', { prefix: 'rose', away: 'throw' }),
      total: shared.uniqueSet('total_unique_roses', { prefix: 'rose' }),
      cumulative: shared.uniqueSet('cumulative_unique_roses', { prefix: 'rose' }),
    }),
  };
}
