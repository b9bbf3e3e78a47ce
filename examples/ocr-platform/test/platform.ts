import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startServer, type System } from '@commonhold/server';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { system } from '../src/index.js';
import { Client } from './client.js';

/** A platform of a test. */
export interface Platform {
  readonly url: string;
  readonly dataDirectory: string;
  readonly server: RunningServer;
  /** A client without a session. */
  client(): Client;
  /** A client that signed up and logged in. */
  signedIn(email?: string): Promise<Client>;
}

/** How to start one. */
export interface PlatformOptions {
  /** Undefined for memory. */
  readonly redisUrl?: string | undefined;
  /** Of another platform, to be its second process. */
  readonly dataDirectory?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Default true, as the platform runs alone. */
  readonly atRoot?: boolean;
  readonly system?: System;
  /** What takes the end of it. Default `onTestFinished`. */
  readonly atEnd?: (end: () => Promise<void>) => void;
}

/** A directory of its own, removed with the test. */
export async function temporaryDirectory(atEnd: PlatformOptions['atEnd'] = onTestFinished): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-ocr-'));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** One platform in memory for all tests of a `describe`. */
export function sharedPlatform(): () => Platform {
  let platform: Platform | undefined;
  const ends: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    platform = await startPlatform({ atEnd: (end) => void ends.unshift(end) });
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  return () => platform as Platform;
}

/** Starts the platform on a free port, stopped with the test. */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const { redisUrl, atRoot = true, variables, atEnd = onTestFinished } = options;
  const dataDirectory = options.dataDirectory ?? (await temporaryDirectory(atEnd));
  const environment = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    OCR_WORKERS: '1',
    DATA_DIR: dataDirectory,
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...variables,
  };
  const server = await startServer([options.system ?? system], { atRoot, environment });
  atEnd(() => server.stop().catch(() => undefined));
  const url = atRoot ? server.url : `${server.url}/ocr`;
  const client = (): Client => new Client(url);
  return {
    url,
    dataDirectory,
    server,
    client,
    async signedIn(email = 'ada@example.com'): Promise<Client> {
      const one = client();
      await one.signUp(email);
      await one.login(email);
      return one;
    },
  };
}
