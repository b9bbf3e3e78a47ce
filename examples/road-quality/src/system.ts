import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type MountedSystem, servePage, type System, type SystemHost } from '@commonhold/server';
import { isCommonholdError } from 'commonhold';
import { AreaOverviews } from './area-overview.js';
import { chooseDatabase } from './database/choose-database.js';
import type { Database } from './database/database.js';
import { healthRoutes } from './health/health-routes.js';
import { type ServiceCheck, ServiceChecks } from './health/service-checks.js';
import { areaRoutes } from './http/area-routes.js';
import { observationRoutes } from './http/observation-routes.js';
import { presenceRoutes } from './http/presence-routes.js';
import { RoadStore } from './observations/road-store.js';
import { openRoadState, type RoadState } from './road-state.js';
import { readSettings } from './settings.js';
import { openRoadSockets } from './sockets/road-sockets.js';

const name = 'road';

/** What an app may add. */
export interface RoadSystemOptions {
  /** Further services that `/health` lists, by name. */
  readonly services?: Readonly<Record<string, ServiceCheck>>;
}

/** The road-quality system: who is where, and what they report of the road. */
export function createSystem({ services = {} }: RoadSystemOptions = {}): System {
  return {
    name,
    title: 'Road quality',
    description: 'Live members by region, and what they report of the road.',
    mount: (host) => mount(host, services),
  };
}

/** The system with the services that it brings itself. */
export const system: System = createSystem();

/** The browser's half of Socket.IO, as installed beside ours, so that the two always fit. */
const socketClient: string = join(
  dirname(createRequire(import.meta.url).resolve('socket.io/package.json')),
  'client-dist/socket.io.esm.min.js',
);

async function mount(host: SystemHost, services: Readonly<Record<string, ServiceCheck>>): Promise<MountedSystem> {
  const { http, environment, dataDirectory } = host;
  const settings = readSettings(environment);
  const state = await openRoadState((options) => host.openState(options), settings);
  const status = state.shared.status();
  const isShared = status.kind === 'redis';
  if (!status.connected) http.log.warn({ reason: status.reason }, 'Server will continue without Redis');
  const database = await chooseDatabase({ settings, isShared, dataDirectory, log: http.log });
  const store = database && new RoadStore(database);
  const checks = serviceChecks(state, database);
  for (const [service, check] of Object.entries(services)) checks.add(service, check);
  healthRoutes(http, checks);
  observationRoutes(http, { store, tell: teller(state, host) });
  presenceRoutes(http, state);
  areaRoutes(http, new AreaOverviews(state, store));
  await servePage(http, new URL('page/', import.meta.url), { files: { 'socket.io-client.js': socketClient } });
  const sockets = await openRoadSockets(host.sockets.of(`/${name}`), state);
  return {
    ...(database && { probe: () => database.probe() }),
    async close(): Promise<void> {
      checks.close();
      await sockets.close();
      await database?.close();
    },
  };
}

function serviceChecks({ shared }: RoadState, database: Database | undefined): ServiceChecks {
  const checks = new ServiceChecks();
  if (database === undefined) checks.show('postgres', () => 'disabled');
  else checks.add('postgres', () => database.ping().then(() => 'connected'));
  checks.show('redis', () => {
    const { kind, connected } = shared.status();
    if (kind === 'memory') return 'disabled';
    return connected ? 'connected' : 'disconnected';
  });
  checks.show('socketio', () => 'active');
  return checks;
}

/** A report is stored by now, and its sender is told so: who cannot hear of it now sees it on the next look. */
function teller({ observations }: RoadState, { http }: SystemHost): Parameters<typeof observationRoutes>[1]['tell'] {
  return async (observation) => {
    try {
      await observations.publish(observation);
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      http.log.warn({ err: error, observationId: observation.observationId }, 'the region did not hear of a report');
    }
  };
}
