import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startServer } from '@commonhold/server';
import { system } from '../src/index.js';

/** How to start a worker in this process. */
export interface WorkerOptions {
  readonly atRoot?: boolean;
  readonly variables?: Readonly<Record<string, string>>;
}

/** A worker that is a server of this process, on a free port and with a directory of its own. */
export interface Worker {
  /** Where the tracker's paths begin. */
  readonly base: string;
  readonly server: RunningServer;
  close(): Promise<void>;
}

/** Starts the rose tracker; in memory unless `variables` name a Redis. */
export async function startWorker({ atRoot = true, variables = {} }: WorkerOptions = {}): Promise<Worker> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-rose-'));
  const environment = { PORT: '0', LOG_LEVEL: 'silent', DATA_DIR: directory, ...variables };
  const server = await startServer([system], { atRoot, environment });
  return {
    base: atRoot ? server.url : `${server.url}/rose-tracker`,
    server,
    async close(): Promise<void> {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
