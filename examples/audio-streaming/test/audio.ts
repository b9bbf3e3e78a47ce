import { type RunningServer, startServer, type System } from '@commonhold/server';
import { onTestFinished } from 'vitest';
import { system } from '../src/index.js';
import { Client } from './client.js';
import { type AtEnd, temporaryDirectory } from './directories.js';

/** The audio system of a test. */
export interface Audio {
  readonly url: string;
  readonly dataDirectory: string;
  readonly server: RunningServer;
  readonly client: Client;
}

/** How to start it. */
export interface AudioTestOptions {
  /** Undefined for memory. */
  readonly redisUrl?: string | undefined;
  /** Of another one, to be its second container. */
  readonly dataDirectory?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Default true, as it runs alone. */
  readonly atRoot?: boolean;
  readonly system?: System;
  readonly atEnd?: AtEnd;
}

/** Starts the system on a free port, stopped with the test. */
export async function startAudio(options: AudioTestOptions = {}): Promise<Audio> {
  const { redisUrl, atRoot = true, variables, atEnd = onTestFinished } = options;
  const dataDirectory = options.dataDirectory ?? (await temporaryDirectory(atEnd));
  const environment = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATA_DIR: dataDirectory,
    AUDIO_SEGMENT_SECONDS: '2',
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...variables,
  };
  const server = await startServer([options.system ?? system], { atRoot, environment });
  atEnd(() => server.stop().catch(() => undefined));
  const url = atRoot ? server.url : `${server.url}/audio`;
  return { url, dataDirectory, server, client: new Client([url]) };
}
