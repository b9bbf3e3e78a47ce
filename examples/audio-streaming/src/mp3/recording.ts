import { createReadStream } from 'node:fs';
import { type Frame, FrameWalk } from './frame-walk.js';

/** What an MP3 file holds. */
export interface Recording {
  /** Exact: frames have a fixed number of samples. */
  readonly durationSeconds: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  readonly frames: number;
}

/** The file is not a Layer III stream. */
export class NotAnMp3Error extends Error {
  override readonly name = 'NotAnMp3Error';

  constructor() {
    super('The file is not an MP3 (MPEG-1 or MPEG-2 audio, Layer III).');
  }
}

/** The frames of a file, in groups as they are read; a file of any size takes little memory. */
export async function* readFrames(path: string, signal?: AbortSignal): AsyncGenerator<readonly Frame[]> {
  const walk = new FrameWalk();
  for await (const bytes of createReadStream(path, signal === undefined ? {} : { signal })) {
    yield walk.push(bytes as Buffer);
  }
  yield walk.end();
}

/**
 * Measures a file.
 *
 * @throws NotAnMp3Error when there is no sound in it; the file system's error when it cannot be read.
 */
export async function inspectRecording(path: string): Promise<Recording> {
  let first: Frame | undefined;
  let frames = 0;
  for await (const group of readFrames(path)) {
    first ??= group[0];
    frames += group.length;
  }
  if (first === undefined) throw new NotAnMp3Error();
  const { samples, sampleRate, channels } = first;
  return { durationSeconds: (frames * samples) / sampleRate, sampleRate, channels, frames };
}
