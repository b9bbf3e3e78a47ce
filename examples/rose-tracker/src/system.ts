import { type MountedSystem, servePage, type System, type SystemHost } from '@commonhold/server';
import { trackingRoutes } from './http/tracking-routes.js';
import { openRoseState } from './rose-state.js';
import { readSettings } from './settings.js';
import { RealtimeTrackingService } from './tracking/realtime-tracking-service.js';

/** The rose tracker: counts what a camera follows, over many workers. */
export const system: System = {
  name: 'rose-tracker',
  title: 'Rose tracker',
  description: 'Counts the roses that cameras see, over many workers: sessions, smoothing, history, totals.',
  mount,
};

async function mount(host: SystemHost): Promise<MountedSystem> {
  const state = await openRoseState((options) => host.openState(options), readSettings(host.environment));
  const service = new RealtimeTrackingService(state);
  await host.http.register(async (http) => trackingRoutes(http, service, state.persistentData));
  await servePage(host.http, new URL('./page/', import.meta.url));
  // Requests under way are the server's to wait for, and nothing runs besides.
  return { close: () => Promise.resolve() };
}
