import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isCommonholdError } from '../src/errors.js';
import { guardHeaders, guardOfHeaders } from '../src/guard-headers.js';
import { openState } from '../src/open-state.js';

const lowerCase = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

describe('the header of a guard', () => {
  it('brings every guard across', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.maxSafeNat(), (lock, token) => {
        const headers = guardHeaders({ lock, token: String(token) });
        expect(headers['Fencing-Guard']).toMatch(/^[ -~]+$/);
        expect(guardOfHeaders(lowerCase(headers))).toEqual({ lock, token: String(token) });
      }),
    );
    expect(guardHeaders({ lock: 'a', token: '7' })).toEqual({ 'Fencing-Guard': '"a";token="7"' });
    expect(guardOfHeaders({})).toBeUndefined();
  });

  it('is refused when it is not one', () => {
    const bad = ['', 'a', '"a"', '"a";token=7', '"a";token="x"', '"%";token="7"', '"";token="7"', '"%00%FF";token="7"'];
    for (const text of [...bad, '"a";token="9007199254740993"', '"a";token="7", "b";token="8"', ['"a";token="7"']]) {
      expect(() => guardOfHeaders({ 'fencing-guard': text }), String(text)).toThrow(
        expect.objectContaining({ code: 'InvalidArgument' }),
      );
    }
  });

  it('has a receiver refuse what a holder that lost its lock sends', async () => {
    await using state = await openState({ namespace: 'receiver', environment: {} });
    const pages = state.map<string>('pages');
    const receiver = createServer((request, response) => {
      const guard = guardOfHeaders(request.headers);
      pages.set('p', String(request.headers['x-page']), { guard }).then(
        () => response.writeHead(204).end(),
        (error: unknown) =>
          response.writeHead(isCommonholdError(error) && error.code === 'StaleGuard' ? 409 : 500).end(),
      );
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void receiver.close());
    await once(receiver, 'listening');
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const lock = state.lock('convert:42 ü');
    const old = await lock.run(({ guard }) => guard);
    const fresh = await lock.run(({ guard }) => guard);
    const put = async (guard: typeof old, page: string): Promise<number> =>
      (await fetch(url, { method: 'PUT', headers: { ...guardHeaders(guard), 'x-page': page } })).status;
    expect(await put(old, 'one')).toBe(204);
    expect(await put(fresh, 'two')).toBe(204);
    expect(await put(old, 'three')).toBe(409);
    expect(await pages.get('p')).toBe('two');
  });
});
