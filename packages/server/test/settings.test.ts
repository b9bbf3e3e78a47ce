import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';

const token = 'x'.repeat(32);

describe('readSettings', () => {
  it('S0.19: has defaults for a laptop', () => {
    expect(readSettings({})).toEqual({
      host: '127.0.0.1',
      port: 5000,
      dataDirectory: '.data',
      logLevel: undefined,
      trustProxy: false,
      allowedOrigins: new Set(),
      drainNoticeMs: 1000,
      stopWithinMs: 15_000,
    });
  });

  it('takes an empty variable for an unset one', () => {
    const names = [
      'PORT',
      'HOST',
      'DATA_DIR',
      'LOG_LEVEL',
      'TRUST_PROXY',
      'ALLOWED_ORIGINS',
      'DRAIN_NOTICE_MS',
      'STOP_WITHIN_MS',
    ];
    expect(readSettings(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readSettings({}));
  });

  it.each([
    ['PORT', '70000', 'a whole number from 0 to 65535'],
    ['PORT', '-1', 'a whole number from 0 to 65535'],
    ['PORT', '5e3', 'a whole number from 0 to 65535'],
    ['PORT', '5000.5', 'a whole number from 0 to 65535'],
    ['LOG_LEVEL', 'loud', 'one of trace, debug, info'],
    ['DRAIN_NOTICE_MS', '60001', 'a whole number from 0 to 60000'],
    ['STOP_WITHIN_MS', '1.5', 'a whole number from 0 to 3600000'],
    ['TRUST_PROXY', 'true', 'the number of proxies'],
    ['TRUST_PROXY', '0', 'the number of proxies'],
    ['TRUST_PROXY', '10.0.0.0/33', 'the number of proxies'],
    ['TRUST_PROXY', '10.0.0.0/8,nginx', 'the number of proxies'],
    ['TRUST_PROXY', '10.0.0.0/8/8', 'the number of proxies'],
    ['ALLOWED_ORIGINS', 'example.com', 'origins without a path'],
    ['ALLOWED_ORIGINS', 'https://example.com/', 'origins without a path'],
    ['ALLOWED_ORIGINS', 'https://a.example,*', 'origins without a path'],
    ['ALLOWED_ORIGINS', 'null', 'origins without a path'],
  ])('refuses %s=%s and says what it expects', (name, value, expected) => {
    const reading = (): unknown => readSettings({ [name]: value });
    expect(reading).toThrow(`Environment variable ${name}: expected ${expected}`);
    expect(reading).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  });

  it('reads networks and origins as lists', () => {
    const { trustProxy, allowedOrigins } = readSettings({
      TRUST_PROXY: '10.0.0.0/8, fd00::/8,192.168.1.1',
      ALLOWED_ORIGINS: 'https://a.example, http://localhost:3000 ,',
    });
    expect(trustProxy).toEqual(['10.0.0.0/8', 'fd00::/8', '192.168.1.1']);
    expect([...allowedOrigins]).toEqual(['https://a.example', 'http://localhost:3000']);
  });

  it('trusts as many proxies as it is told', () => {
    const { trustProxy } = readSettings({ TRUST_PROXY: '2' });
    if (typeof trustProxy !== 'function') throw new Error('expected a function');
    expect([0, 1, 2].map((hop) => trustProxy('192.0.2.1', hop))).toEqual([true, true, false]);
  });

  it.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1'])('needs no token on %s', (host) => {
    expect(readSettings({ HOST: host }).host).toBe(host);
  });

  it.each(['0.0.0.0', '::', '192.168.1.5', 'example.com', '127.0.0.1.example.com', '::ffff:192.168.1.5'])(
    'needs a token of 32 bytes on %s',
    (host) => {
      for (const short of [undefined, '', 'x'.repeat(31)]) {
        const reading = (): unknown => readSettings({ HOST: host, ADMIN_TOKEN: short });
        expect(reading).toThrow(`HOST=${host} lets other machines in, which needs ADMIN_TOKEN`);
      }
      expect(readSettings({ HOST: host, ADMIN_TOKEN: token }).host).toBe(host);
    },
  );
});
