import { describe, expect, it } from 'vitest';
import { ask, serve } from './serving.js';
import { tinySystem } from './tiny-system.js';

describe('the index page', () => {
  it('shows health in words and links the systems', async () => {
    const { url } = await serve([tinySystem(), tinySystem({ name: 'other' })]);
    const { status, text, headers } = await ask(url);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).toContain(
      'data-status="healthy" role="status">Application is running normally (development mode)</p>',
    );
    expect(text).toContain('<a href="/tiny"><strong>Tiny &lt;system&gt;</strong> <code>/tiny</code></a>');
    expect(text).toContain('<p>Counts &amp; waits.</p>');
    expect(text).toContain('<a href="/other">');
    expect(text).not.toMatch(/\{\{|<system>/);
  });

  it('lets nothing in from elsewhere', async () => {
    const { url } = await serve([tinySystem()]);
    const { headers, text } = await ask(url);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(loaded.filter((address) => address?.startsWith('/') !== true)).toEqual([]);
    expect(text).not.toMatch(/<style|style="|<script>|onclick/);
  });

  it('comes with its style and its script', async () => {
    const { url } = await serve([]);
    const page = await ask(url);
    expect(page.text).toContain('No system is installed.');
    for (const [, address] of page.text.matchAll(/"(\/page\/[^"]+)"/g)) {
      const { status, headers } = await ask(`${url}${address}`);
      const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
      const type = types[address?.split('.').at(-1) as keyof typeof types];
      expect([status, headers.get('content-type')?.split(';')[0]]).toEqual([200, type]);
    }
  });

  it.each(['/tiny', '/tiny/'])('of a system lists its calls: %s', async (path) => {
    const { url } = await serve([tinySystem(), tinySystem({ name: 'tiny-two' })]);
    const { text } = await ask(url + path);
    expect(text).toContain('<h1>Tiny &lt;system&gt;</h1>');
    expect(text).toContain('<td>POST</td><td><code>/tiny/count</code></td>');
    expect(text).toContain('<code>/tiny/person/:age</code>');
    expect(text).not.toMatch(/HEAD|tiny-two/);
  });

  it('of a system alone is at the root, without links that lead nowhere', async () => {
    const { url } = await serve([tinySystem()], { atRoot: true });
    const { text } = await ask(url);
    expect(text).toContain('<td>POST</td><td><code>/count</code></td>');
    expect(text).not.toMatch(/href="\/(?:tiny)?"/);
  });

  it('leaves a page of the system itself alone', async () => {
    const own = (name: string) =>
      tinySystem({ name, onMount: ({ http }) => http.get('/', () => Promise.resolve({ page: name })) });
    const { url } = await serve([own('one')]);
    expect((await ask(`${url}/one`)).json).toEqual({ page: 'one' });
    expect((await ask(url)).text).toContain('href="/one"');
    const alone = await serve([own('one')], { atRoot: true });
    expect((await ask(alone.url)).json).toEqual({ page: 'one' });
  });
});
