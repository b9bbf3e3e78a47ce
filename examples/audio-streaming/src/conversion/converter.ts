import { open } from 'node:fs/promises';
import type { Piece } from '../files/piece.js';
import type { Frame } from '../mp3/frame-walk.js';
import { NotAnMp3Error, readFrames } from '../mp3/recording.js';

/** A converter's view of one recording. */
export interface ConverterJob {
  /** The MP3 file. */
  readonly path: string;
  readonly voiceId: string;
  readonly segmentSeconds: number;
  /** Aborts when the work is no longer wanted here. */
  readonly signal: AbortSignal;
}

/**
 * Makes the segments of a recording. The plan is kept: whoever takes over from a container that died makes the pieces of it
 * that are missing.
 */
export interface Converter {
  /**
   * The pieces in order, together the whole recording.
   *
   * @throws NotAnMp3Error or anything else: the conversion fails, and is not tried again after NotAnMp3Error.
   */
  plan(job: ConverterJob): Promise<readonly Piece[]>;
  /** The MP3 frames of one piece, in the wanted voice; at least one. */
  convert(job: ConverterJob, piece: Piece): Promise<Buffer>;
}

/** What a voice does to the sound of one piece: MP3 frames in, MP3 frames out, of any length. */
export type VoiceTransform = (
  frames: Buffer,
  voice: { readonly voiceId: string; readonly signal: AbortSignal },
) => Buffer | Promise<Buffer>;

/** The voice of the recording itself. There is no speech synthesis here: the built-in converter segments and changes no sound. */
export const sameVoice: VoiceTransform = (frames) => frames;

/**
 * Cuts at frame boundaries and encodes nothing anew. A frame may use bits of the frames before it, so a player that begins in the
 * middle can lose the first 26 to 72 ms; one that plays on loses nothing.
 */
export function createCutter(voice: VoiceTransform = sameVoice): Converter {
  return {
    plan: planPieces,
    async convert({ path, voiceId, signal }, { start, end }) {
      signal.throwIfAborted();
      await using file = await open(path);
      const frames = Buffer.alloc(end - start);
      await file.read(frames, 0, frames.length, start);
      return voice(frames, { voiceId, signal });
    },
  };
}

async function planPieces({ path, segmentSeconds, signal }: ConverterJob): Promise<Piece[]> {
  const pieces: Piece[] = [];
  let piece: { start: number; end: number; samples: number } | undefined;
  const longestSamples = ({ sampleRate }: Frame): number => segmentSeconds * sampleRate;
  for await (const group of readFrames(path, signal)) {
    for (const frame of group) {
      const end = frame.offset + frame.bytes;
      // A segment is never longer than asked for, unless one frame is.
      if (piece !== undefined && piece.samples + frame.samples > longestSamples(frame)) {
        pieces.push({ start: piece.start, end: piece.end });
        piece = undefined;
      }
      piece ??= { start: frame.offset, end, samples: 0 };
      piece.end = end;
      piece.samples += frame.samples;
    }
  }
  if (piece === undefined) throw new NotAnMp3Error();
  return [...pieces, { start: piece.start, end: piece.end }];
}
