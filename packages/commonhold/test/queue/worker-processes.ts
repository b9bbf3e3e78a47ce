import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import type { QueueOptions } from '../../src/queue/queue-options.js';

/**
 * Works on queue `q`, noting each start in the list `starts` as `<id> <attempt> <ms since 1970>`. The data of a job says
 * what it does: sleeps `ms`, blocks the event loop for `stall` ms at its first attempt, or ends the process with `exit`.
 */
const program = `
import { openState } from './index.js';
const [url, namespace, concurrency, options] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const state = await openState({ redis: url, namespace, log });
const queue = state.queue('q', { attempts: 1, ...JSON.parse(options) });
const worker = queue.work(async ({ id, data, attempt }) => {
  await state.rawClient.sendCommand(['RPUSH', namespace + ':starts', id + ' ' + attempt + ' ' + Date.now()]);
  if (data.exit) process.exit(1);
  const stallUntil = performance.now() + (attempt === 1 ? (data.stall ?? 0) : 0);
  while (performance.now() < stallUntil);
  await new Promise((resolve) => setTimeout(resolve, data.ms ?? 0));
}, { concurrency: Number(concurrency) });
process.on('SIGTERM', async () => {
  await worker.close();
  await state.close();
  process.exit();
});
process.send('working');
`;

/** What the jobs of the worker program hold. */
export interface WorkerTask {
  readonly ms?: number;
  readonly stall?: number;
  readonly exit?: boolean;
}

/** Starts worker processes, which end with the tests. */
export interface WorkerProcesses {
  /** Resolves when the process works. */
  start(url: string, namespace: string, concurrency: number, options?: QueueOptions): Promise<ChildProcess>;
}

/** Compiles the library anew, since a program of its own cannot load TypeScript, and dist may be old. */
export function useWorkerProcesses(): WorkerProcesses {
  const started: ChildProcess[] = [];
  let build: string;
  beforeAll(async () => {
    build = await compile();
  }, 60_000);
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL');
    await rm(build, { recursive: true });
  });
  return {
    start: async (url, namespace, concurrency, options = {}) => {
      const args = [url, namespace, String(concurrency), JSON.stringify(options)];
      const child = fork(join(build, 'program.js'), args, { execArgv: [] });
      started.push(child);
      await once(child, 'message');
      return child;
    },
  };
}

/** Resolves when the process has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function compile(): Promise<string> {
  const build = await mkdtemp(join(tmpdir(), 'commonhold-worker-'));
  const root = join(import.meta.dirname, '../../../..');
  const source = join(import.meta.dirname, '../../src');
  const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--noCheck', '--ignoreConfig'];
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), [
    ...options,
    ...['--rootDir', source, '--outDir', build, join(source, 'index.ts')],
  ]);
  // Scripts are read from beside the compiled files.
  await cp(source, build, { recursive: true, filter: (path) => !path.endsWith('.ts') });
  await symlink(join(root, 'node_modules'), join(build, 'node_modules'));
  await writeFile(join(build, 'package.json'), '{"type":"module"}');
  await writeFile(join(build, 'program.js'), program);
  return build;
}
