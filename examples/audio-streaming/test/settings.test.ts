import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';

describe('settings', () => {
  it('have defaults, also where variables are empty', () => {
    expect(readSettings({ AUDIO_CONVERTERS: '' })).toEqual({
      segmentSeconds: 4,
      segmentDelayMs: 0,
      converters: 1,
      mostUploadBytes: 268_435_456,
      textCacheBytes: 16_777_216,
    });
  });

  it('follow the environment', () => {
    const environment = {
      AUDIO_SEGMENT_SECONDS: '1',
      AUDIO_SEGMENT_DELAY_MS: '500',
      AUDIO_CONVERTERS: '0',
      AUDIO_UPLOAD_BYTES: '1000',
      AUDIO_TEXT_CACHE_BYTES: '4294967296',
    };
    expect(Object.values(readSettings(environment))).toEqual([1, 500, 0, 1_000, 4_294_967_296]);
  });

  it.each([
    ['AUDIO_SEGMENT_SECONDS', '0'],
    ['AUDIO_SEGMENT_SECONDS', '61'],
    ['AUDIO_CONVERTERS', '-1'],
    ['AUDIO_CONVERTERS', 'two'],
    ['AUDIO_UPLOAD_BYTES', '1e6'],
    ['AUDIO_SEGMENT_DELAY_MS', '1.5'],
  ])('refuse %s=%s', (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(new RegExp(`${name}: expected a whole number .*"${value}"`));
  });
});
