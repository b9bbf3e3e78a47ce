import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';

describe('settings', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['false', false],
    ['true', true],
  ])('ATTENDX_REQUIRE_LOGIN=%s', (value, requireLogin) => {
    expect(readSettings({ ATTENDX_REQUIRE_LOGIN: value })).toEqual({ requireLogin });
  });

  it('says what is wrong', () => {
    expect(() => readSettings({ ATTENDX_REQUIRE_LOGIN: 'yes' })).toThrow(
      /ATTENDX_REQUIRE_LOGIN.*"true" or "false".*yes/,
    );
  });
});
