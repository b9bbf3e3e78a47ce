import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/testing/free-port.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { ask, Browser } from './browser.js';

const packageRoot = join(import.meta.dirname, '../..');
const run = promisify(execFile);
let directory = '';
beforeAll(async () => {
  // Inside the package, so that its own name resolves to what was built.
  directory = await mkdtemp(join(packageRoot, 'dist', 'docs-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function blocksOf(page: string, language: string): Promise<string[]> {
  const text = await readFile(join(packageRoot, '../../docs/features', page), 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block);
}

/** Runs a server that is one of the page's programs, until the test ends. */
async function start(program: string): Promise<Browser> {
  const [file, port] = [join(directory, 'server.mjs'), await freePort()];
  await writeFile(file, program);
  const { PATH = '' } = process.env;
  const server = spawn(process.execPath, [file], { env: { PATH, PORT: String(port) }, stdio: 'inherit' });
  onTestFinished(async () => {
    server.kill();
    await once(server, 'exit');
  });
  await waitUntil('the server', () =>
    ask(port, '/nothing').then(
      () => true,
      () => false,
    ),
  );
  return new Browser(port);
}

describe('the programs of docs/features/http.md', () => {
  it('serve sessions and limits in Fastify', async () => {
    const [program = ''] = await blocksOf('http.md', 'js');
    const browser = await start(program);
    const post = { body: {}, headers: { 'Content-Type': 'application/json' } };
    expect((await browser.ask('/visits')).json).toEqual({ visits: 1 });
    const login = await browser.ask('/login', post);
    expect([login.json, login.headers['ratelimit']]).toEqual([{ user: 'ada' }, '"login";r=9;t=60']);
    expect((await browser.ask('/visits')).json).toEqual({ user: 'ada', visits: 2 });
    expect((await browser.ask('/logout', post)).json).toEqual({ ended: true });
    expect((await browser.ask('/visits')).json).toEqual({ visits: 1 });
    const keyed = { body: {}, headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'one' } };
    const order = await browser.ask('/orders', keyed);
    const again = await browser.ask('/orders', keyed);
    expect([order.status, again.json, again.headers['idempotent-replayed']]).toEqual([201, order.json, 'true']);
    expect((await browser.ask('/orders', { ...keyed, body: { other: 1 } })).status).toBe(422);
    expect((await browser.ask('/orders', post)).json).not.toEqual(order.json);
  });

  it('serve sessions and limits in plain Node', async () => {
    const [, program = ''] = await blocksOf('http.md', 'js');
    const browser = await start(program);
    expect((await browser.ask('/')).json).toEqual({ value: 'nobody was here 1 times' });
    const answer = await browser.ask('/');
    expect(answer.json).toEqual({ value: 'nobody was here 2 times' });
    expect(answer.headers['ratelimit']).toMatch(/^"all";r=\d+;t=60$/);
    const keyed = { body: {}, headers: { 'Idempotency-Key': 'one' } };
    for (let n = 0; n < 2; n++) {
      expect((await browser.ask('/', keyed)).json).toEqual({ value: 'nobody was here 3 times' });
    }
  });

  it('S1.9: declare the fields of the session', { timeout: 60_000 }, async () => {
    const [declaration = ''] = await blocksOf('http.md', 'ts');
    const use = [
      "import type { FastifyRequest } from 'fastify';",
      "import type { RequestSession } from 'commonhold/fastify';",
      'export const visits = (request: FastifyRequest): number | undefined => request.session.data.visits;',
      '// @ts-expect-error -- no such role',
      "export const wrong = (request: FastifyRequest): unknown => request.session.set({ role: 'king' });",
      'export const kept = (session: RequestSession<{ a: 1 }>): 1 | undefined => session.data.a;',
    ];
    const file = join(directory, 'declared.mts');
    await writeFile(file, `${declaration}\n${use.join('\n')}\n`);
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
    ];
    const tsc = join(packageRoot, '../../node_modules/typescript/bin/tsc');
    await expect(run(process.execPath, [tsc, ...options, file])).resolves.toMatchObject({ stdout: '' });
  });
});

describe('the program of docs/features/idempotency.md', () => {
  it('charges once', async () => {
    const [program = ''] = await blocksOf('idempotency.md', 'ts');
    const file = join(directory, 'charges.mjs');
    const use = [
      "const headers = { 'idempotency-key': 'one', 'x-user': 'ada' };",
      "const post = () => app.inject({ method: 'POST', url: '/charges', headers });",
      'for (const { statusCode, body, headers } of [await post(), await post()])',
      "  console.log(statusCode, body, headers['idempotent-replayed']);",
      'await state.close();',
    ];
    await writeFile(file, `${program}\n${use.join('\n')}\n`);
    const { PATH = '' } = process.env;
    const { stdout } = await run(process.execPath, [file], { env: { PATH } });
    const answer = '201 {"charged":true,"attempt":1}';
    expect(stdout.trim().split('\n')).toEqual([`${answer} undefined`, `${answer} true`]);
  });
});

describe('the program of docs/features/unique-set.md', () => {
  it('prints what it says', async () => {
    const [program = ''] = await blocksOf('unique-set.md', 'ts');
    const file = join(directory, 'set.mjs');
    // Every awaited line is followed by what it answers.
    const shown = program.replace(/^await (roses\..*?); \/\/ (\d+|\[.*?\]).*$/gm, 'console.log(await $1, $2);');
    const page = 'console.log(members.length, cursor);';
    await writeFile(file, shown.replace(/^const \{ members, cursor \}.*$/m, `$&\n${page}`));
    const { PATH = '' } = process.env;
    const { stdout } = await run(process.execPath, [file], { env: { PATH } });
    const lines = stdout.trim().split('\n');
    const [added, known, has, count, one, two, ...rest] = lines;
    expect([added, known, has, count]).toEqual(['2 2', '0 0', '[ true, false ] [ true, false ]', '2 2']);
    expect(new Set([one, two])).toEqual(new Set(['rose-1', 'rose-2']));
    expect(rest).toEqual(['2 undefined', '1 1', '1 1']);
  });
});
