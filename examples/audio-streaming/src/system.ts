import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type MountedSystem, servePage, type System, type SystemHost } from '@commonhold/server';
import { openAudioState } from './audio-state.js';
import { startConversionWorker } from './conversion/conversion-worker.js';
import { type Converter, createCutter } from './conversion/converter.js';
import { ChunkStore } from './files/chunk-store.js';
import { TrackFiles } from './files/track-files.js';
import { containerRoutes } from './http/container-routes.js';
import { downloadRoutes } from './http/download-routes.js';
import { streamRoutes } from './http/stream-routes.js';
import { textRoutes } from './http/text-routes.js';
import { trackRoutes } from './http/track-routes.js';
import { uploadRoutes } from './http/upload-routes.js';
import { OrphanWatch } from './orphans/orphan-watch.js';
import { readSettings } from './settings.js';
import { evenWordTimer, type WordTimer } from './timing/word-timer.js';

/** What can be replaced. */
export interface AudioOptions {
  /** Default {@link createCutter}, which cuts and changes no sound; give it a voice, or replace it whole. */
  readonly converter?: Converter;
  /** Default {@link evenWordTimer}, an estimate. */
  readonly wordTimer?: WordTimer;
}

/** Uploads nobody added to for this long are given up, as their records are. */
const abandonedMs = 7_200_000;
const sweepMs = 3_600_000;

/** The audio system, with parts of one's own. */
export function createAudioSystem({
  converter = createCutter(),
  wordTimer = evenWordTimer,
}: AudioOptions = {}): System {
  return {
    name: 'audio',
    title: 'Audio streaming',
    description: 'Chunked uploads, and HLS cut once over many containers: maps, a queue, run-once work, live owners.',
    mount: (host) => mount(host, { converter, wordTimer }),
  };
}

/** Audio streaming: recordings are sent in chunks, cut into HLS segments once for all containers, and played. */
export const system: System = createAudioSystem();

async function mount(host: SystemHost, { converter, wordTimer }: Required<AudioOptions>): Promise<MountedSystem> {
  const { http, dataDirectory } = host;
  const settings = readSettings(host.environment);
  const files = new TrackFiles(dataDirectory);
  const chunks = new ChunkStore(dataDirectory);
  await chunks.removeAbandoned(abandonedMs);
  const state = await openAudioState((options) => host.openState(options), settings);
  const uploads = { state, files, chunks };
  await uploadRoutes(http, uploads, settings.mostUploadBytes);
  trackRoutes(http, state, files);
  streamRoutes(http, state, files);
  textRoutes(http, { state, files, wordTimer });
  downloadRoutes(http, state, files);
  containerRoutes(http, state);
  await servePage(http, new URL('page/', import.meta.url), { files: { 'hls.js': hlsModule() } });
  const orphans = new OrphanWatch(uploads, http.log);
  const place = { state, files, converter, settings, log: http.log };
  const worker = settings.converters === 0 ? undefined : startConversionWorker(place);
  const sweep = (): void => {
    const swept = Promise.all([chunks.removeAbandoned(abandonedMs), orphans.look()]);
    swept.catch((err: unknown) => http.log.warn({ err }, 'what was left behind stays for another hour'));
  };
  const sweeping = setInterval(sweep, sweepMs).unref();
  return {
    async close(): Promise<void> {
      clearInterval(sweeping);
      orphans.close();
      await worker?.close();
    },
  };
}

/** The player's library, as installed. */
function hlsModule(): string {
  return join(dirname(createRequire(import.meta.url).resolve('hls.js')), 'hls.light.min.mjs');
}
