import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';

describe('settings', () => {
  it.each([
    [undefined, 3_600_000],
    ['', 3_600_000],
    ['1', 1_000],
    ['86400', 86_400_000],
  ])('S0.2: REDIS_SESSION_TTL=%s', (text, sessionTtlMs) => {
    expect(readSettings({ REDIS_SESSION_TTL: text })).toEqual({ sessionTtlMs });
  });

  it.each(['0', '-1', '1.5', '1h', 'ten', '1000000000'])('refuses REDIS_SESSION_TTL=%s', (text) => {
    expect(() => readSettings({ REDIS_SESSION_TTL: text })).toThrow(
      'Environment variable REDIS_SESSION_TTL: expected whole seconds from 1 to 999999999',
    );
  });
});
