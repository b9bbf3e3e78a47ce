import { describe, expect, it } from 'vitest';
import type { ResponseHeaders } from '../../src/adapters/http/response-headers.js';
import { SessionCookie, type SessionCookieOptions } from '../../src/adapters/http/session-cookie.js';

const token = 'a1'.repeat(32);

function written(options: SessionCookieOptions, overTls: boolean, before?: string | string[]): string[] {
  const set = new Map<string, string | readonly string[]>();
  if (before !== undefined) set.set('set-cookie', before);
  const headers: ResponseHeaders = {
    isSent: () => false,
    get: (name) => set.get(name),
    set: (name, value) => void set.set(name, value),
  };
  new SessionCookie(options).put(token, headers, overTls);
  return [set.get('set-cookie') ?? []].flat();
}

describe('a session cookie', () => {
  const plain = `session=${token}; Path=/; HttpOnly; SameSite=Lax`;
  const ofHost = `__Host-${plain}; Secure`;

  it.each<[SessionCookieOptions, boolean, string]>([
    [{}, false, plain],
    [{}, true, ofHost],
    [{ secure: 'auto' }, true, ofHost],
    [{ secure: 'auto' }, false, plain],
    [{ secure: true }, false, ofHost],
    [{ secure: true, path: '/app' }, false, `${plain.replace('Path=/', 'Path=/app')}; Secure`],
    [{ name: 'session', secure: true }, false, `${plain}; Secure`],
    [{ secure: false }, true, plain],
    [{ sameSite: 'strict' }, false, plain.replace('Lax', 'Strict')],
    [{ sameSite: 'none' }, false, ofHost.replace('Lax', 'None')],
    [{ name: '__Host-id' }, false, `${plain.replace('session', '__Host-id')}; Secure`],
    [{ name: '__Secure-id' }, false, `${plain.replace('session', '__Secure-id')}; Secure`],
    [{ maxAge: 1_500 }, false, `${plain}; Max-Age=2`],
    [
      { path: '/a b', domain: 'x.org' },
      true,
      `session=${token}; Domain=x.org; Path=/a b; HttpOnly; SameSite=Lax; Secure`,
    ],
  ])('with %j, TLS %s, is %s', (options, overTls, expected) => {
    expect(written(options, overTls)).toEqual([expected]);
  });

  it('stands beside other cookies of the answer, and replaces itself', () => {
    expect(written({}, false, 'a=1')).toEqual(['a=1', plain]);
    expect(written({}, false, ['session=old; Path=/', 'sessions=2', 'a=1'])).toEqual(['sessions=2', 'a=1', plain]);
  });

  it.each<Record<string, unknown>>([
    { name: '' },
    { name: 'a b' },
    { name: 'a=b' },
    { name: 'a;b' },
    { name: 'é' },
    { name: 'x'.repeat(129) },
    { sameSite: 'Lax' },
    { sameSite: 'constructor' },
    { sameSite: 'none', secure: false },
    { secure: 'yes' },
    { secure: 1 },
    { path: 'app' },
    { path: '/a;b' },
    { path: '/a\n' },
    { domain: '' },
    { domain: 'a;b' },
    { maxAge: 0 },
    { maxAge: Infinity },
    { name: '__Host-id', path: '/app' },
    { name: '__Host-id', domain: 'x.org' },
    { name: '__host-id', secure: false },
    { name: '__Secure-id', secure: false },
    { httpOnly: false },
  ])('cannot be %j', (options) => {
    expect(() => new SessionCookie(options)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });

  it('S3: is not begun in production without a word on Secure, unless it is Secure anyhow', () => {
    const production = { NODE_ENV: 'production' };
    for (const options of [{}, { name: 'sid' }, { domain: 'x.org' }]) {
      expect(() => new SessionCookie(options, production)).toThrow(
        expect.objectContaining({ code: 'InvalidArgument', message: expect.stringContaining('secure: expected true') }),
      );
      expect(() => new SessionCookie(options, { NODE_ENV: 'development' })).not.toThrow();
      expect(() => new SessionCookie(options, { NODE_ENV: '' })).not.toThrow();
    }
    const said = [{ secure: true }, { secure: false }, { secure: 'auto' }, { name: '__Host-id' }, { sameSite: 'none' }];
    for (const options of said as SessionCookieOptions[]) {
      expect(() => new SessionCookie(options, production)).not.toThrow();
    }
  });

  it('S3: over TLS takes no cookie that another host of the domain, or a clear connection, may have set', () => {
    const cookie = new SessionCookie({});
    const both = `session=${token}; __Host-session=${'b2'.repeat(32)}`;
    expect(cookie.read(both, true).tokens).toEqual(['b2'.repeat(32)]);
    expect(cookie.read(both, false).tokens).toEqual([token]);
    expect(cookie.read(`session=${token}`, true)).toEqual({ sent: false, tokens: [] });
  });

  it('reads the tokens that may be ours, each once and few', () => {
    const own = new SessionCookie({ name: 'sid' });
    const cookie = { read: (header: string | undefined) => own.read(header, false) };
    const [first, second] = [token, 'b2'.repeat(32)];
    expect(cookie.read(undefined)).toEqual({ sent: false, tokens: [] });
    expect(cookie.read('')).toEqual({ sent: false, tokens: [] });
    expect(cookie.read(`sid=${first}`)).toEqual({ sent: true, tokens: [first] });
    expect(cookie.read(`a=1;sid=${first}; sid=${second};sid=${first}`)).toEqual({
      sent: true,
      tokens: [first, second],
    });
    expect(cookie.read(`SID=${first}; xsid=${first}; sid2=${first}; sid =${first}`)).toEqual({
      sent: false,
      tokens: [],
    });
    expect(cookie.read(`sid="${first}"; sid=${first.toUpperCase()}; sid=${first}x`)).toEqual({
      sent: true,
      tokens: [],
    });
    // A browser keeps `__Host-` names for one host, but not names that merely look like them.
    expect(cookie.read(`\u00a0sid=${first}; \u00a0sid=${first};\t sid=${second}`)).toEqual({
      sent: true,
      tokens: [second],
    });
    const many = Array.from({ length: 100 }, (_, n) => `sid=${String(n).padStart(64, '0')}`);
    expect(cookie.read(many.join('; ')).tokens).toHaveLength(4);
  });
});
