import type { MountedSystem, System, SystemHost } from '@commonhold/server';
import multipart from '@fastify/multipart';
import { openFileStore } from './files/file-store.js';
import { pageRoutes } from './http/page-routes.js';
import { sessionRoutes } from './http/session-routes.js';
import { statsRoutes } from './http/stats-routes.js';
import { taskRoutes } from './http/task-routes.js';
import { userRoutes } from './http/user-routes.js';
import { openOcrState } from './ocr-state.js';
import { readSettings } from './settings.js';
import { openTaskSockets } from './sockets/task-sockets.js';
import { startScanWorker } from './tasks/scan-worker.js';

/** The OCR platform: people send scanned pages and get their text. */
export const system: System = {
  name: 'ocr',
  title: 'OCR platform',
  description: 'Reads the text of scanned pages: sessions, a queue with priorities, live progress.',
  mount,
};

async function mount(host: SystemHost): Promise<MountedSystem> {
  const settings = readSettings(host.environment);
  const files = await openFileStore(host.dataDirectory);
  const state = await openOcrState((options) => host.openState(options), settings);
  await host.http.register(multipart);
  userRoutes(host.http, state);
  sessionRoutes(host.http, state);
  taskRoutes(host.http, state, files);
  statsRoutes(host.http, state);
  await pageRoutes(host.http);
  const sockets = await openTaskSockets(host.sockets.of(`/${system.name}`), state);
  const worker = settings.workers === 0 ? undefined : startScanWorker(state, files, settings.workers);
  return {
    async close(): Promise<void> {
      // Meanwhile owners still hear of what ends.
      await worker?.close();
      sockets.close();
    },
  };
}
