import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type MountedSystem, servePage, type System, type SystemHost } from '@commonhold/server';
import multipart from '@fastify/multipart';
import { openFileStore } from './files/file-store.js';
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

/** The browser's half of Socket.IO, as installed beside ours, so that the two always fit. */
const socketClient: string = join(
  dirname(createRequire(import.meta.url).resolve('socket.io/package.json')),
  'client-dist/socket.io.esm.min.js',
);

async function mount(host: SystemHost): Promise<MountedSystem> {
  const settings = readSettings(host.environment);
  const files = await openFileStore(host.dataDirectory);
  const state = await openOcrState((options) => host.openState(options), settings, host.dataDirectory);
  await host.http.register(multipart);
  userRoutes(host.http, state);
  sessionRoutes(host.http, state);
  taskRoutes(host.http, state, files);
  statsRoutes(host.http, state);
  const pageFiles = { 'socket.io-client.js': socketClient };
  await servePage(host.http, new URL('page/', import.meta.url), { files: pageFiles });
  openTaskSockets(host.sockets.of(`/${system.name}`), state);
  const worker = settings.workers === 0 ? undefined : startScanWorker(state, files, settings.workers);
  return {
    async close(): Promise<void> {
      // Meanwhile owners still hear of what ends; their sockets are the server's to close.
      await worker?.close();
    },
  };
}
