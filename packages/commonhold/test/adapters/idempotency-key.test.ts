import { describe, expect, it } from 'vitest';
import { readIdempotencyKey } from '../../src/adapters/http/idempotency-key.js';

describe('the Idempotency-Key header', () => {
  it('is one key, bare or in quotes', () => {
    for (const [header, key] of [
      ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
      ['"8e03978e"', '8e03978e'],
      [' "a b,c" ', 'a b,c'],
      [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
      ["it's:/ok?~[]{}", "it's:/ok?~[]{}"],
      [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
    ] as const) {
      expect(readIdempotencyKey(header)).toEqual({ kind: 'key', key });
    }
    for (const header of [
      '',
      '  ',
      '"',
      '""',
      '"a"b',
      String.raw`"a\"`,
      String.raw`a\b`,
      'a b',
      'a\u0000',
      'x'.repeat(256),
    ]) {
      expect(readIdempotencyKey(header), header).toEqual({ kind: 'invalid' });
    }
    expect(readIdempotencyKey(['a'])).toEqual({ kind: 'invalid' });
    expect(readIdempotencyKey(undefined)).toEqual({ kind: 'absent' });
  });
});
