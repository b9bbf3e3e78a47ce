import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startServer, type System } from '@commonhold/server';
import { onTestFinished } from 'vitest';
import { system } from '../src/index.js';

/** A process of the system, as a test sees it. */
export interface RoadServer {
  /** Where its paths begin. */
  readonly base: string;
  readonly server: RunningServer;
}

/** How to start one. */
export interface RoadServerOptions {
  /** Variables of its environment, which holds nothing else but a port, a directory and silence. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Default true, as the system runs alone. */
  readonly atRoot?: boolean;
  readonly system?: System;
  /** Where log lines go. Default nowhere. */
  readonly logTo?: string[];
  /** What takes the end of it. Default `onTestFinished`. */
  readonly atEnd?: (end: () => Promise<void>) => void;
}

/** Starts the system on a free port, stopped with the test. */
export async function startRoad(options: RoadServerOptions = {}): Promise<RoadServer> {
  const { variables, atRoot = true, atEnd = onTestFinished } = options;
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-road-'));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  const environment = { PORT: '0', LOG_LEVEL: 'silent', DATA_DIR: directory, ...variables };
  const logStream = { write: (line: string): void => void options.logTo?.push(line) };
  const server = await startServer([options.system ?? system], { atRoot, environment, logStream });
  atEnd(() => server.stop().catch(() => undefined));
  return { base: atRoot ? server.url : `${server.url}/road`, server };
}

/** Collects what has to end, in the order it began. */
export class Ends {
  readonly #ends: (() => Promise<unknown>)[] = [];

  readonly add = (end: () => Promise<unknown>): void => void this.#ends.push(end);

  /** The last first. */
  readonly run = async (): Promise<void> => {
    for (const end of this.#ends.splice(0).toReversed()) await end();
  };
}
