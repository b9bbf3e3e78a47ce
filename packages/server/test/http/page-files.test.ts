import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { servePage, type System } from '../../src/index.js';
import { ask, serve, temporaryDirectory } from '../serving.js';

const script = "console.log('hello');";

async function paged(): Promise<System> {
  const directory = await temporaryDirectory();
  const folder = join(directory, 'page');
  await mkdir(folder);
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Paged</title>');
  await writeFile(join(folder, 'app.js'), script);
  await writeFile(join(folder, 'notes.txt'), 'not for anybody');
  await writeFile(join(directory, 'elsewhere.css'), 'p {}');
  const mount: System['mount'] = async ({ http }) => {
    const files = { 'other.css': join(directory, 'elsewhere.css') };
    await servePage(http, pathToFileURL(`${folder}/`), { files });
    return { close: () => Promise.resolve() };
  };
  return { name: 'paged', title: 'Paged', description: 'Has a page.', mount };
}

describe('the page of a system', () => {
  it('comes with its files and those from elsewhere, by their types, under a strict policy', async () => {
    const { url } = await serve([await paged()]);
    const index = await ask(`${url}/paged/`);
    expect(index.text).toContain('<title>Paged</title>');
    expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(index.headers.get('content-security-policy')).toMatch(/^default-src 'self';.*frame-ancestors 'none'$/);
    expect(index.headers.get('x-content-type-options')).toBe('nosniff');
    const app = await ask(`${url}/paged/app.js`);
    expect([app.text, app.headers.get('content-type')]).toEqual([script, 'text/javascript; charset=utf-8']);
    expect((await ask(`${url}/paged/other.css`)).headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect((await ask(`${url}/paged/base.css`)).text).toContain('--accent:');
    expect((await ask(`${url}/paged/notes.txt`)).status).toBe(404);
  });

  it('is not sent again to who has it', async () => {
    const { url } = await serve([await paged()]);
    const tag = String((await ask(`${url}/paged/app.js`)).headers.get('etag'));
    expect(await ask(`${url}/paged/app.js`, { headers: { 'if-none-match': tag } })).toMatchObject({
      status: 304,
      text: '',
    });
    expect((await ask(`${url}/paged/app.js`, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('is found without its slash, with the query', async () => {
    const { url } = await serve([await paged()]);
    const bare = await ask(`${url}/paged?a=1`, { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/paged/?a=1']);
    expect((await ask(`${(await serve([await paged()], { atRoot: true })).url}/`)).text).toContain('Paged');
  });
});
