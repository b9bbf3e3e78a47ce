/**
 * `npm run replay -w examples/rose-tracker -- [tracks.csv] [http://worker ...]`: sends a recording, its frames spread over
 * the workers. Without workers it runs two in this process, on Redis when the environment names one, else on one memory.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createMemoryStore, openState } from 'commonhold';
import { openRoseState } from './rose-state.js';
import { readSettings } from './settings.js';
import type { HistoryEntry } from './tracking/persistent-record.js';
import { RealtimeTrackingService, type StartedSession } from './tracking/realtime-tracking-service.js';
import { readTracks, type RecordedFrame } from './tracks.js';

/** One worker, wherever it runs. */
interface Worker {
  start(): Promise<StartedSession>;
  frame(id: string, frame: RecordedFrame): Promise<unknown>;
  stop(id: string): Promise<HistoryEntry>;
}

/** Frames under way at the same time. */
const atOnce = 8;

const standardTracks = '../shared/data/tracks/tud-stadtmitte.csv';

function remoteWorker(base: string): Worker {
  const post = async <Json>(path: string, body?: unknown): Promise<Json> => {
    const init =
      body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${base.replace(/\/$/, '')}${path}`, { method: 'POST', ...init });
    if (!response.ok) throw new Error(`${base}${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Json;
  };
  return {
    start: () => post('/sessions'),
    frame: (id, frame) => post(`/sessions/${id}/frames`, frame),
    stop: (id) => post(`/sessions/${id}/stop`),
  };
}

function localWorker(service: RealtimeTrackingService): Worker {
  return {
    start: () => service.startSession(),
    frame: (id, { frame, roses }) => service.processFrame(id, frame, roses),
    async stop(id): Promise<HistoryEntry> {
      const entry = await service.stopSession(id);
      if (entry === undefined) throw new Error('The session has ended meanwhile.');
      return entry;
    },
  };
}

async function replay(workers: readonly Worker[], frames: readonly RecordedFrame[]): Promise<HistoryEntry> {
  const turn = (index: number): Worker => {
    const worker = workers[index % workers.length];
    if (worker === undefined) throw new Error('A replay needs a worker.');
    return worker;
  };
  const { session_id: id } = await turn(0).start();
  for (let first = 0; first < frames.length; first += atOnce) {
    const batch = frames.slice(first, first + atOnce);
    await Promise.all(batch.map((frame, index) => turn(first + index).frame(id, frame)));
  }
  return turn(1).stop(id);
}

async function replayHere(frames: readonly RecordedFrame[]): Promise<HistoryEntry> {
  const memory = createMemoryStore();
  const settings = readSettings(process.env);
  const states = await Promise.all(
    [1, 2].map(() => openRoseState((options) => openState({ memory, ...options }), settings)),
  );
  try {
    const { kind } = states[0]?.shared.status() ?? { kind: 'memory' };
    console.log(`Two workers in this process, on ${kind === 'redis' ? 'Redis' : 'one memory'}.`);
    return await replay(
      states.map((state) => localWorker(new RealtimeTrackingService(state))),
      frames,
    );
  } finally {
    await Promise.all(states.map(({ shared }) => shared.close()));
  }
}

async function main(words: readonly string[]): Promise<void> {
  const bases = words.filter((word) => /^https?:\/\//.test(word));
  const [path = standardTracks] = words.filter((word) => !bases.includes(word));
  // npm runs this in the workspace, people are in the directory from which they called npm.
  const from = words.length > bases.length ? (process.env['INIT_CWD'] ?? '.') : '.';
  const frames = readTracks(await readFile(resolve(from, path), 'utf8'));
  const entry = bases.length > 0 ? await replay(bases.map(remoteWorker), frames) : await replayHere(frames);
  const { session_number, frame_count, unique_roses, display_count } = entry;
  console.log(
    `Session ${session_number}: ${frame_count} frames, ${unique_roses} unique ids, ${display_count} on display.`,
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
