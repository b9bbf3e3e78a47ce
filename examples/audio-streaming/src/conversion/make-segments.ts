import { setTimeout as sleep } from 'node:timers/promises';
import type { Piece } from '../files/piece.js';
import type { TrackFiles } from '../files/track-files.js';
import { timestampTag } from '../hls/timestamp-tag.js';
import { framesOf } from '../mp3/frame-walk.js';
import type { Converter, ConverterJob } from './converter.js';

/** A stream to make. */
export interface Stream {
  readonly trackId: string;
  readonly voiceId: string;
  readonly segmentSeconds: number;
  /** A rest after each segment that is made, in milliseconds. */
  readonly delayMs: number;
  readonly signal: AbortSignal;
}

/** What a stream is made with. */
export interface StreamMaking {
  readonly files: TrackFiles;
  readonly converter: Converter;
  /** Hears how many of how many segments are there, first when none was looked at. */
  readonly onProgress: (processed: number, total: number) => Promise<void>;
}

/** What was done for a stream. */
export interface MadeStream {
  readonly total: number;
  /** The segments that were not there. */
  readonly made: number;
}

/**
 * Makes the segments that are missing, then the playlist. Segments that another container left stay as they are, and their
 * lengths are measured, not assumed: whatever was made where, the playlist says what is there.
 *
 * @throws the signal's reason when it aborts; what the converter throws; the file system's errors.
 */
export async function makeSegments(
  stream: Stream,
  { files, converter, onProgress }: StreamMaking,
): Promise<MadeStream> {
  const { trackId, voiceId, segmentSeconds, delayMs, signal } = stream;
  const job: ConverterJob = { path: files.recording(trackId), voiceId, segmentSeconds, signal };
  const pieces = await agreedPlan(job, { files, converter, trackId });
  await onProgress(0, pieces.length);
  const durations: number[] = [];
  let startSeconds = 0;
  let made = 0;
  for (const [index, piece] of pieces.entries()) {
    signal.throwIfAborted();
    const found = await files.readSegment(trackId, voiceId, index);
    const segment = found ?? (await makeSegment({ files, converter, job, trackId }, { index, piece, startSeconds }));
    if (found === undefined) made++;
    const seconds = soundSeconds(segment);
    durations.push(seconds);
    startSeconds += seconds;
    await onProgress(durations.length, pieces.length);
    if (found === undefined && delayMs > 0) await sleep(delayMs, undefined, { signal });
  }
  await files.finishStream(trackId, voiceId, durations);
  return { total: pieces.length, made };
}

interface StreamPlace {
  readonly files: TrackFiles;
  readonly converter: Converter;
  readonly trackId: string;
}

interface SegmentPlace extends StreamPlace {
  readonly job: ConverterJob;
}

interface SegmentToMake {
  readonly index: number;
  readonly piece: Piece;
  readonly startSeconds: number;
}

/** The plan of whoever began: containers may have other settings, and their segments would not fit. */
async function agreedPlan(job: ConverterJob, { files, converter, trackId }: StreamPlace): Promise<readonly Piece[]> {
  const known = await files.readPlan(trackId, job.voiceId);
  if (known !== undefined) return known;
  const plan = await converter.plan(job);
  const isOurs = await files.addPlan(trackId, job.voiceId, plan);
  return isOurs ? plan : ((await files.readPlan(trackId, job.voiceId)) ?? plan);
}

/** Makes one segment; where a container that counts as dead was faster after all, its segment stands. */
async function makeSegment(
  { files, converter, job, trackId }: SegmentPlace,
  { index, piece, startSeconds }: SegmentToMake,
): Promise<Buffer> {
  const frames = await converter.convert(job, piece);
  if (soundSeconds(frames) === 0) throw new Error(`The converter gave no MP3 frames for segment ${index}.`);
  job.signal.throwIfAborted();
  const segment = Buffer.concat([timestampTag(startSeconds), frames]);
  const isOurs = await files.addSegment(trackId, job.voiceId, index, segment);
  return isOurs ? segment : ((await files.readSegment(trackId, job.voiceId, index)) ?? segment);
}

/** Exact: a frame has a fixed number of samples. */
function soundSeconds(mp3: Buffer): number {
  return framesOf(mp3).reduce((sum, { samples, sampleRate }) => sum + samples / sampleRate, 0);
}
