import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Converter, createCutter } from '../../src/conversion/converter.js';
import { type MadeStream, makeSegments } from '../../src/conversion/make-segments.js';
import { TrackFiles } from '../../src/files/track-files.js';
import { timestampTag } from '../../src/hls/timestamp-tag.js';
import { framesOf } from '../../src/mp3/frame-walk.js';
import { NotAnMp3Error } from '../../src/mp3/recording.js';
import { temporaryDirectory } from '../directories.js';
import { madeMp3, madeSeconds } from '../made-mp3.js';
import { decode, speech, speechSeconds } from '../samples.js';

const tagBytes = timestampTag(0).length;

async function filesWith(recording: Buffer): Promise<TrackFiles> {
  const files = new TrackFiles(await temporaryDirectory());
  await mkdir(dirname(files.recording('t')), { recursive: true });
  await writeFile(files.recording('t'), recording);
  return files;
}

function make(
  files: TrackFiles,
  {
    converter = createCutter(),
    signal = new AbortController().signal,
    onProgress = async (): Promise<void> => undefined,
    segmentSeconds = 2,
  }: {
    converter?: Converter;
    signal?: AbortSignal;
    segmentSeconds?: number;
    onProgress?: (processed: number, total: number) => Promise<void>;
  } = {},
): Promise<MadeStream> {
  const stream = { trackId: 't', voiceId: 'v', segmentSeconds, delayMs: 0, signal };
  return makeSegments(stream, { files, converter, onProgress });
}

async function segmentsOf(files: TrackFiles): Promise<Buffer[]> {
  const count = (await files.segmentsOf('t', 'v')) ?? 0;
  const segments = await Promise.all(Array.from({ length: count }, (_, index) => files.readSegment('t', 'v', index)));
  return segments.map((segment) => segment ?? Buffer.alloc(0));
}

describe('making segments', () => {
  it('cuts real speech at frame boundaries: nothing is lost, nothing encoded anew', async () => {
    const file = await speech();
    const files = await filesWith(file);
    const steps: number[][] = [];
    expect(await make(files, { onProgress: async (...step) => void steps.push(step) })).toEqual({ total: 6, made: 6 });
    expect(steps).toEqual([0, 1, 2, 3, 4, 5, 6].map((done) => [done, 6]));
    const segments = await segmentsOf(files);
    const sound = Buffer.concat(segments.map((segment) => segment.subarray(tagBytes)));
    const first = framesOf(file)[0]?.offset ?? 0;
    expect(sound).toEqual(file.subarray(first, first + sound.length));
    expect(file.length - first - sound.length).toBeLessThan(288);
    // A decoder that is not ours hears each segment alone, and all of them as one.
    for (const segment of segments) expect((await decode(segment)).seconds).toBeGreaterThan(0.9);
    expect(Math.abs((await decode(Buffer.concat(segments))).seconds - speechSeconds)).toBeLessThan(0.08);
  });

  it('goes on where another container stopped, and leaves its segments as they are', async () => {
    const files = await filesWith(madeMp3({ frames: 383 }));
    const stopped = new AbortController();
    const stop = async (processed: number): Promise<void> =>
      processed === 2 ? stopped.abort(new Error('killed')) : undefined;
    await expect(make(files, { signal: stopped.signal, onProgress: stop })).rejects.toThrow('killed');
    expect((await readdir(files.stream('t', 'v'))).toSorted()).toEqual(['plan.json', 'segment-0.mp3', 'segment-1.mp3']);
    expect(await files.segmentsOf('t', 'v')).toBeUndefined();
    const before = await files.readSegment('t', 'v', 0);
    // The next container may cut otherwise; the plan is that of the first.
    expect(await make(files, { segmentSeconds: 5 })).toEqual({ total: 6, made: 4 });
    expect(await files.readSegment('t', 'v', 0)).toEqual(before);
    // One that is missing in the middle is made again, with its own time.
    await rm(join(files.stream('t', 'v'), 'segment-3.mp3'));
    expect(await make(files)).toEqual({ total: 6, made: 1 });
    const starts = (await segmentsOf(files)).map((segment) => Number(segment.readBigUInt64BE(tagBytes - 8)) / 90_000);
    expect(starts[3]).toBeCloseTo(3 * madeSeconds(76), 4);
  });

  it('runs twice at the same time without harm', async () => {
    const files = await filesWith(madeMp3({ frames: 383 }));
    const results = await Promise.all([make(files), make(files), make(files)]);
    expect(results.map(({ total }) => total)).toEqual([6, 6, 6]);
    const sound = (await segmentsOf(files)).flatMap(framesOf);
    expect(sound).toHaveLength(383);
    expect((await readdir(files.stream('t', 'v'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('measures what a voice gave, not what was put in', async () => {
    const files = await filesWith(madeMp3({ frames: 200 }));
    const slower = createCutter((frames) => Buffer.concat([frames, frames]));
    const { total } = await make(files, { converter: slower });
    const segments = await segmentsOf(files);
    expect(segments.flatMap(framesOf)).toHaveLength(400);
    expect(segments.map((segment) => Number(segment.readBigUInt64BE(tagBytes - 8)) / 90_000)[1]).toBeCloseTo(
      madeSeconds(152),
      4,
    );
    expect(total).toBe(3);
  });

  it('passes the voice to its transform', async () => {
    const files = await filesWith(madeMp3({ frames: 10 }));
    const heard: string[] = [];
    await make(files, { converter: createCutter((frames, { voiceId }) => (heard.push(voiceId), frames)) });
    expect(heard).toEqual(['v']);
  });

  it('fails where there is no sound, in the file or from the voice', async () => {
    const silent = createCutter(() => Buffer.alloc(0));
    await expect(make(await filesWith(madeMp3()), { converter: silent })).rejects.toThrow(
      /no MP3 frames for segment 0/,
    );
    await expect(make(await filesWith(Buffer.from('text')))).rejects.toThrow(NotAnMp3Error);
  });

  it('makes segments no longer than asked for, unless one frame is', async () => {
    const files = await filesWith(madeMp3({ frames: 383 }));
    await make(files);
    const lengths = (await segmentsOf(files)).map((segment) => madeSeconds(framesOf(segment).length));
    for (const length of lengths) expect(length).toBeLessThanOrEqual(2);
    // All but the last are as long as they can be.
    for (const length of lengths.slice(0, -1)) expect(length).toBeGreaterThan(2 - madeSeconds(1));
  });
});
