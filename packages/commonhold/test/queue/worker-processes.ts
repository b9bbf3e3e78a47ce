import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { QueueOptions } from '../../src/queue/queue-options.js';
import { useProgram } from '../program-processes.js';

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

/** Starts worker processes, on the library compiled anew. */
export function useWorkerProcesses(): WorkerProcesses {
  const run = useProgram(program);
  return {
    start: async (url, namespace, concurrency, options = {}) => {
      const child = run(url, namespace, String(concurrency), JSON.stringify(options));
      await once(child, 'message');
      return child;
    },
  };
}

/** Resolves when the process has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
