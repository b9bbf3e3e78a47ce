import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameMessage, parseFrame } from '../src/message-frame.js';

const ids = { id: '1700000000000-12', previous: '0-0' };

describe('message frame', () => {
  it('carries any bytes and any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        (body) => {
          expect(parseFrame('framed', frameMessage('framed', { ...ids, body }))).toEqual({ ...ids, body });
        },
      ),
    );
  });

  it('carries any JSON object, as text and as bytes, and is JSON itself', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const body = JSON.stringify(object);
        const published = frameMessage('json', { ...ids, body }).toString();
        expect(parseFrame('json', published)).toEqual({ ...ids, body });
        expect(parseFrame('json', Buffer.from(published))).toEqual({ ...ids, body });
        expect(JSON.parse(published)).toEqual({ ...ids, ...(JSON.parse(body) as object) });
      }),
    );
  });

  it('looks as documented', () => {
    expect(frameMessage('framed', { ...ids, body: '7' })).toBe('0-0 1700000000000-12\n7');
    expect(frameMessage('json', { ...ids, body: '{}' })).toBe('{"id":"1700000000000-12","previous":"0-0"}');
  });

  it.each(['', '7', '0-0\n7', '0-0 1-\n7', '{"id":1}', '{}', '{"id":"1-1","previous":"0-0"', 'x'.repeat(500)])(
    'does not read %j',
    (text) => {
      for (const format of ['framed', 'json'] as const) {
        expect(parseFrame(format, text)).toBe(undefined);
        expect(parseFrame(format, Buffer.from(text))).toBe(undefined);
      }
    },
  );
});
