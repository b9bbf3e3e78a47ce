import { createHash, randomUUID } from 'node:crypto';
import { madeMp3 } from './made-mp3.js';

/** Frames of a recording: ten seconds. */
export const frames = 383;

/** Ten seconds of silence that no other test has. */
export function recording(): Buffer {
  return madeMp3({ frames, title: randomUUID() });
}

/** The id that a file will have. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
