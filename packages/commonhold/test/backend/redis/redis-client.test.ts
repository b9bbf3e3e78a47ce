import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisClient } from '../../../src/backend/redis/redis-client.js';
import { useServer } from '../../engines.js';

const run = promisify(execFile);
const project = join(import.meta.dirname, '../../..');

/** The library as published, in a place where nothing else is installed. */
describe('without @redis/client', () => {
  let place = '';
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'commonhold-alone-'));
    const tsc = createRequire(import.meta.url)
      .resolve('typescript/package.json')
      .replace('package.json', 'bin/tsc');
    const output = ['--outDir', place, '--tsBuildInfoFile', join(place, '.tsbuildinfo')];
    await run(process.execPath, [tsc, '-p', project, '--noCheck', ...output]);
    await cp(join(project, 'src'), place, { recursive: true, filter: (path) => !path.endsWith('.ts') });
    await cp(join(project, 'package.json'), join(place, 'package.json'));
  }, 60_000);
  afterAll(() => rm(place, { recursive: true, force: true }));

  async function outcomeOf(options: string): Promise<unknown> {
    const program = `
      import { openState } from ${JSON.stringify(join(place, 'index.js'))};
      openState(${options}).then(
        async (state) => { console.log(JSON.stringify({ kind: state.status().kind })); await state.close(); },
        (error) => console.log(JSON.stringify({ code: error.code, message: error.message, advice: error.advice })),
      );`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: place, env: {} });
    return JSON.parse(stdout) as unknown;
  }

  it('S0.3, S0.6: memory works', async () => {
    expect(await outcomeOf('')).toEqual({ kind: 'memory' });
  });

  it('Redis is refused with the command to install it', async () => {
    expect(await outcomeOf("{ redis: 'redis://127.0.0.1:6379' }")).toEqual({
      code: 'MissingDependency',
      message: '@redis/client is not installed, and a Redis endpoint needs it',
      advice: 'npm install @redis/client',
    });
  });
});

describe('the client', () => {
  const server = useServer();

  it('can be given text and bytes, and answers either', async () => {
    const client = await createRedisClient({ host: '127.0.0.1', port: server().port, database: 3 }, 500);
    client.on('error', () => undefined);
    await client.connect();
    const bytes = Buffer.from([0, 13, 10, 255]);
    await client.sendCommand(['SET', 'k', bytes]);
    expect(await client.withTypeMapping({ 36: Buffer }).sendCommand(['GET', 'k'])).toEqual(bytes);
    expect(String(await client.sendCommand(['CLIENT', 'INFO']))).toContain(' db=3 ');
    client.destroy();
  });
});
