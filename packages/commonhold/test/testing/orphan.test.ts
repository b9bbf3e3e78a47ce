import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../src/testing/free-port.js';
import { RespConnection } from '../../src/testing/resp-connection.js';
import { waitUntil } from '../../src/testing/waiting.js';

const program = `
import { startRedisServer } from './testing/redis-server.js';
const server = await startRedisServer({ port: Number(process.argv[2]) });
process.on('message', (order) => {
  if (order === 'exit') process.exit();
  server.pause();
  process.send('paused');
});
process.send('started');
`;

let build: string;

/** The library is compiled anew, since a program of its own cannot load TypeScript, and dist may be old. */
beforeAll(async () => {
  build = await mkdtemp(join(tmpdir(), 'commonhold-orphan-'));
  const source = join(import.meta.dirname, '../../src');
  const tsc = join(import.meta.dirname, '../../../../node_modules/.bin/tsc');
  const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--noCheck', '--ignoreConfig'];
  await writeFile(join(build, 'package.json'), '{"type":"module"}');
  await writeFile(join(build, 'program.js'), program);
  await promisify(execFile)(tsc, [
    ...options,
    '--rootDir',
    source,
    '--outDir',
    build,
    join(source, 'testing/redis-server.ts'),
  ]);
});

afterAll(() => rm(build, { recursive: true }));

interface Started {
  readonly parent: ChildProcess;
  readonly port: number;
  readonly directory: string;
}

async function start(): Promise<Started> {
  const port = await freePort();
  const parent = fork(join(build, 'program.js'), [String(port)], { execArgv: [], detached: true });
  await once(parent, 'message');
  const connection = await RespConnection.open(port);
  const reply = await connection.send('CONFIG', 'GET', 'dir');
  await connection.close();
  return { parent, port, directory: Array.isArray(reply) ? String(reply[1]) : '' };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function expectGone({ parent, port, directory }: Started): Promise<void> {
  if (parent.exitCode === null && parent.signalCode === null) await once(parent, 'exit');
  await waitUntil('the server to go with its parent', async () => !existsSync(directory) && !(await listens(port)));
}

it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('a server ends with a process that %s ends', async (signal) => {
  const started = await start();
  expect([await listens(started.port), existsSync(started.directory)]).toEqual([true, true]);
  started.parent.kill(signal);
  await expectGone(started);
});

it('a paused server ends when Ctrl-C reaches every process at once', async () => {
  const started = await start();
  started.parent.send('pause');
  await once(started.parent, 'message');
  process.kill(-(started.parent.pid ?? Number.NaN), 'SIGINT');
  await expectGone(started);
});

it('a server ends with a process that exits without stopping it', async () => {
  const started = await start();
  started.parent.send('exit');
  await expectGone(started);
});

it('a paused server ends with its process too', async () => {
  const started = await start();
  started.parent.send('pause');
  await once(started.parent, 'message');
  started.parent.kill('SIGKILL');
  await expectGone(started);
});
