import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { useProgram } from '../program-processes.js';

/**
 * Works on queue `q` as owner `w<number>`: each job takes `ms`, or ends the process with `exit`. Starts and ends are noted in a
 * file, which is there whoever is killed, Redis too.
 */
const program = `
import { appendFileSync } from 'node:fs';
import { openState } from './index.js';
const [url, namespace, concurrency, number, file] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const state = await openState({ redis: url, namespace, owner: 'w' + number, log });
const note = (what, { id, attempt }) =>
  appendFileSync(file, [what, id, attempt, number, Date.now()].join(' ') + '\\n');
state.queue('q', { attempts: 1 }).work(async (job) => {
  note('start', job);
  if (job.data.exit) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, job.data.ms));
  note('end', job);
}, { concurrency: Number(concurrency) });
process.send('working');
`;

/** What the jobs of {@link useNotingWorkers} hold. */
export interface NotedTask {
  readonly ms: number;
  readonly exit?: boolean;
}

/** A note of a worker. */
export interface JobNote {
  readonly what: 'start' | 'end';
  readonly id: string;
  readonly attempt: number;
  /** The number of the worker. */
  readonly worker: number;
  readonly atMs: number;
}

/** A worker process. A process id may come twice in a thousand processes; a number does not. */
export interface NotingWorker {
  readonly child: ChildProcess;
  readonly number: number;
}

/** Worker processes that end with the tests, and what they noted. */
export interface NotingWorkers {
  /** Resolves when the process works. */
  start(url: string, namespace: string, concurrency: number): Promise<NotingWorker>;
  notes(namespace: string): Promise<JobNote[]>;
}

/** Starts worker processes, on the library compiled anew. */
export function useNotingWorkers(): NotingWorkers {
  const run = useProgram(program);
  let directory: string;
  let started = 0;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'commonhold-notes-'));
  });
  afterAll(() => rm(directory, { recursive: true }));
  const fileOf = (namespace: string): string => join(directory, namespace);
  return {
    start: async (url, namespace, concurrency) => {
      const number = (started += 1);
      const child = run(url, namespace, String(concurrency), String(number), fileOf(namespace));
      await once(child, 'message');
      return { child, number };
    },
    notes: async (namespace) => {
      const lines = (await readFile(fileOf(namespace), 'utf8').catch(() => '')).split('\n');
      return lines.slice(0, -1).map(readNote);
    },
  };
}

function readNote(line: string): JobNote {
  const [what, id = '', attempt, worker, atMs] = line.split(' ');
  return {
    what: what === 'start' ? 'start' : 'end',
    id,
    attempt: Number(attempt),
    worker: Number(worker),
    atMs: Number(atMs),
  };
}
