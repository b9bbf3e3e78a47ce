/**
 * `npm run replay -w examples/audio-streaming -- [file.mp3] [http://container ...]`: sends a recording in chunks, shuffled and
 * some of them twice, spread over the containers; asks all of them for its conversion; and checks what comes back. Without
 * containers it runs one in this process.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '@commonhold/server';
import { framesOf } from './mp3/frame-walk.js';
import { system } from './system.js';

type Json = Readonly<Record<string, unknown>>;

const standardFile = '../shared/data/audio/jfk.mp3';
const chunkCount = 12;
const voiceId = 'replay';
const lookMs = 100;

/** Containers that are asked in turn. */
class Containers {
  readonly #bases: readonly string[];
  #turn = 0;

  constructor(bases: readonly string[]) {
    this.#bases = bases.map((base) => base.replace(/\/$/, ''));
  }

  async bytes(path: string, init: RequestInit = {}): Promise<Buffer> {
    const base = this.#bases[this.#turn++ % this.#bases.length] ?? '';
    const response = await fetch(`${base}${path}`, init);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (!response.ok) throw new Error(`${base}${path} answered ${response.status}: ${bytes.toString()}`);
    return bytes;
  }

  async json(method: string, path: string, body?: unknown): Promise<Json> {
    const headers = { 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    return JSON.parse((await this.bytes(path, { method, ...sent })).toString()) as Json;
  }
}

async function upload(containers: Containers, file: Buffer, filename: string): Promise<string> {
  const { upload_id } = await containers.json('POST', '/uploads', { filename, size: file.length });
  const size = Math.ceil(file.length / chunkCount);
  const starts = Array.from({ length: Math.ceil(file.length / size) }, (_, index) => index * size);
  // Every third is sent twice, and all of them in an order of their own.
  const shuffled = [...starts, ...starts.filter((_, index) => index % 3 === 0)].toSorted(
    (a, b) => ((a * 7919) % 101) - ((b * 7919) % 101),
  );
  const answers = await Promise.all(
    shuffled.map(async (first) => {
      const chunk = new Uint8Array(file.subarray(first, first + size));
      const headers = { 'content-range': `bytes ${first}-${first + chunk.length - 1}/${file.length}` };
      const answer = await containers.bytes(`/uploads/${String(upload_id)}`, { method: 'PUT', headers, body: chunk });
      return JSON.parse(answer.toString()) as Json;
    }),
  );
  const trackId = answers.map(({ track_id }) => track_id).find((id) => typeof id === 'string');
  check(trackId === createHash('sha256').update(file).digest('hex'), 'the track is named by the SHA-256 of the file');
  return trackId ?? '';
}

async function convert(containers: Containers, trackId: string): Promise<Json> {
  const ask = (): Promise<Json> => containers.json('POST', `/tracks/${trackId}/conversions`, { voice_id: voiceId });
  const asked = await Promise.all(Array.from({ length: 20 }, ask));
  check(new Set(asked.map(({ conversion_id }) => conversion_id)).size === 1, 'twenty requests got one conversion');
  for (;;) {
    const progress = await containers.json('GET', `/tracks/${trackId}/progress?voice_id=${voiceId}`);
    if (progress['status'] === 'failed') throw new Error(`The conversion failed: ${String(progress['error'])}`);
    if (progress['status'] === 'completed') return progress;
    await sleep(lookMs);
  }
}

async function replay(containers: Containers, file: Buffer, filename: string): Promise<void> {
  const trackId = await upload(containers, file, filename);
  const { total_segments: total, container_id: container } = await convert(containers, trackId);
  const playlist = (await containers.bytes(`/tracks/${trackId}/${voiceId}/playlist.m3u8`)).toString();
  const names = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const segments = await Promise.all(names.map((name) => containers.bytes(`/tracks/${trackId}/${voiceId}/${name}`)));
  check(segments.flatMap(framesOf).length === framesOf(file).length, 'the segments hold every frame');
  check((await containers.bytes(`/tracks/${trackId}/download`)).equals(file), 'the download is the file');
  const frame = framesOf(file)[0];
  const seconds = (framesOf(file).length * (frame?.samples ?? 0)) / (frame?.sampleRate ?? 1);
  console.log(`Track ${trackId}: ${seconds.toFixed(3)} s in ${String(total)} segments by ${String(container)}.`);
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Not so: ${what}.`);
  console.log(`Right: ${what}.`);
}

async function replayHere(file: Buffer, filename: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-audio-'));
  const environment = { ...process.env, PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'warn' };
  const server = await startServer([system], { atRoot: true, environment });
  try {
    console.log(`One container in this process, ${server.place}.`);
    await replay(new Containers([server.url]), file, filename);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function main(words: readonly string[]): Promise<void> {
  const bases = words.filter((word) => /^https?:\/\//.test(word));
  const [path = standardFile] = words.filter((word) => !bases.includes(word));
  // npm runs this in the workspace, people are in the directory from which they called npm.
  const from = words.length > bases.length ? (process.env['INIT_CWD'] ?? '.') : '.';
  const file = await readFile(resolve(from, path));
  if (bases.length > 0) await replay(new Containers(bases), file, 'replay.mp3');
  else await replayHere(file, 'replay.mp3');
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
