import { type Environment, InvalidArgumentError } from 'commonhold';

/** What the environment may change. */
export interface Settings {
  /** `AUDIO_SEGMENT_SECONDS`, 1 to 60: the longest a segment may be. Default 4. */
  readonly segmentSeconds: number;
  /** `AUDIO_SEGMENT_DELAY_MS`, 0 to 60000: a rest after each segment, to watch or to test. Default 0. */
  readonly segmentDelayMs: number;
  /** `AUDIO_CONVERTERS`, 0 to 64: conversions of this container at a time; 0 leaves them to the others. Default 1. */
  readonly converters: number;
  /** `AUDIO_UPLOAD_BYTES`, up to 4 GiB: the largest recording. Default 256 MiB. */
  readonly mostUploadBytes: number;
  /** `AUDIO_TEXT_CACHE_BYTES`, up to 4 GiB: texts that this container keeps at hand. Default 16 MiB. */
  readonly textCacheBytes: number;
}

const mebibyte: number = 2 ** 20;
const mostBytes: number = 2 ** 32;

/**
 * Reads the settings of the audio system. An empty variable is an unset one.
 *
 * @throws InvalidArgumentError naming the variable, what was expected and what came.
 */
export function readSettings(environment: Environment): Settings {
  const number = (name: string, least: number, most: number, standard: number): number =>
    wholeNumber(environment, name, least, most) ?? standard;
  return {
    segmentSeconds: number('AUDIO_SEGMENT_SECONDS', 1, 60, 4),
    segmentDelayMs: number('AUDIO_SEGMENT_DELAY_MS', 0, 60_000, 0),
    converters: number('AUDIO_CONVERTERS', 0, 64, 1),
    mostUploadBytes: number('AUDIO_UPLOAD_BYTES', 1, mostBytes, 256 * mebibyte),
    textCacheBytes: number('AUDIO_TEXT_CACHE_BYTES', 1, mostBytes, 16 * mebibyte),
  };
}

function wholeNumber(environment: Environment, name: string, least: number, most: number): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Environment variable ${name}`, `a whole number from ${least} to ${most}`, text);
}
