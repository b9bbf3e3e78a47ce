import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { memoryEngine } from '../../src/testing/engine.js';
import { actions } from './actions.js';
import { ask, Browser } from './browser.js';
import { siteKinds, type SiteOptions, type Visit } from './sites.js';

const run = promisify(execFile);
let tls = { key: '', cert: '' };
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'commonhold-https-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert]);
  tls = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

for (const [name, start] of Object.entries(siteKinds)) {
  async function open(options: Partial<SiteOptions>): Promise<number> {
    const engine = await memoryEngine.start();
    onTestFinished(() => engine.close());
    const sessions = (await engine.open()).sessions<Visit>('web');
    return (await start({ sessions, actions, ...options })).port;
  }

  const isSecure = (cookies: readonly string[]): boolean[] => cookies.map((cookie) => cookie.endsWith('; Secure'));
  const forwarded = (proto: string): Record<string, string> => ({ 'X-Forwarded-Proto': proto });

  describe(`the cookie at ${name}`, () => {
    it('S1.9: is Secure over TLS, also when it is removed', async () => {
      const port = await open({ tls });
      const browser = new Browser(port);
      expect(isSecure((await browser.ask('/login', { body: 'ada', ca: tls.cert })).cookies)).toEqual([true]);
      expect((await browser.ask('/read', { ca: tls.cert })).json['user']).toBe('ada');
      expect(isSecure((await browser.ask('/logout', { ca: tls.cert })).cookies)).toEqual([true]);
    });

    it('S3: may have the name that only this host can set', async () => {
      const browser = new Browser(await open({ tls, cookie: { name: '__Host-session' } }));
      const { cookies } = await browser.ask('/login', { body: 'ada', ca: tls.cert });
      expect(cookies).toEqual([
        expect.stringMatching(/^__Host-session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Lax; Secure$/),
      ]);
      expect((await browser.ask('/read', { ca: tls.cert })).json['user']).toBe('ada');
    });

    it('S1.9: is Secure behind a trusted proxy that took TLS, and no word of others counts', async () => {
      const trusting = await open({ trustedProxies: ['127.0.0.1'] });
      const body = { visits: 1 };
      const secure = async (port: number, headers: Record<string, string>, from = '127.0.0.1'): Promise<boolean[]> =>
        isSecure((await ask(port, '/set', { body, headers, from })).cookies);
      expect(await secure(trusting, forwarded('https'))).toEqual([true]);
      expect(await secure(trusting, forwarded('HTTPS'))).toEqual([true]);
      expect(await secure(trusting, forwarded('http'))).toEqual([false]);
      expect(await secure(trusting, {})).toEqual([false]);
      // The last entry is the proxy's own; what stands before it came from its client.
      expect(await secure(trusting, forwarded('https, http'))).toEqual([false]);
      expect(await secure(trusting, forwarded('https'), '127.0.0.2')).toEqual([false]);
      expect(await secure(await open({}), forwarded('https'))).toEqual([false]);
    });

    it('is Secure over TLS whatever an untrusted client says, and as the trusted proxy says', async () => {
      const body = { visits: 1 };
      const headers = forwarded('http');
      const untrusting = await ask(await open({ tls }), '/set', { body, headers, ca: tls.cert });
      expect(isSecure(untrusting.cookies)).toEqual([true]);
      const trusting = await open({ tls, trustedProxies: ['127.0.0.1'] });
      expect(isSecure((await ask(trusting, '/set', { body, headers, ca: tls.cert })).cookies)).toEqual([false]);
    });
  });
}
