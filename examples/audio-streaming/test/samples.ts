import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MPEGDecoder } from 'mpg123-decoder';

/**
 * Eleven seconds of real speech (MPEG-2 Layer III, 64 kbit/s, mono, 16 kHz, with ID3 and Xing tags), from the data that lies
 * beside the repository. Where it is missing, the tests that need it fail.
 */
export async function speech(): Promise<Buffer> {
  const path = fileURLToPath(new URL('../../../../shared/data/audio/jfk.mp3', import.meta.url));
  if (!existsSync(path)) throw new Error('shared/data/audio/jfk.mp3 is missing beside the repository');
  return readFile(path);
}

/** What is said in it. */
export const spokenText =
  'And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country.';

/** Frames of the recording, by its own Xing tag. */
export const speechFrames = 308;

/** What it lasts, by 576 samples a frame at 16 kHz. */
export const speechSeconds: number = (speechFrames * 576) / 16_000;

/** Sound as a decoder that is not ours hears it. */
export interface Sound {
  readonly seconds: number;
  /** Largest deviation from silence, 0 to 1. */
  readonly peak: number;
  readonly samples: Float32Array;
  readonly sampleRate: number;
}

/** Decodes MP3 with libmpg123. */
export async function decode(mp3: Uint8Array): Promise<Sound> {
  const decoder = new MPEGDecoder({ enableGapless: false });
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate } = decoder.decode(mp3);
    const samples = Float32Array.from(channelData[0] ?? []);
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    return { seconds: samplesDecoded / sampleRate, peak, samples, sampleRate };
  } finally {
    decoder.free();
  }
}
