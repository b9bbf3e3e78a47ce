import { type RedisServer, startRedisServer } from 'commonhold/testing';
import { afterAll, beforeAll } from 'vitest';

/** Where a test's state lives. */
export interface Home {
  /** A URL with nothing in it; undefined for memory. */
  url(): Promise<string | undefined>;
}

/** A Redis for the tests of one `describe`. */
export interface RedisHome extends Home {
  readonly server: RedisServer;
  /** Empties it. */
  url(): Promise<string>;
}

/** Starts one before the tests and stops it after them. */
export function ownRedis(): RedisHome {
  let server: RedisServer | undefined;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server?.stop());
  return {
    get server(): RedisServer {
      if (server === undefined) throw new Error('Redis is started before the tests, not before they are declared');
      return server;
    },
    async url(): Promise<string> {
      await this.server.command('FLUSHALL');
      return this.server.url;
    },
  };
}

/** The engines that the contract holds on. */
export const homes: readonly (readonly [name: string, open: () => Home])[] = [
  ['in memory', () => ({ url: () => Promise.resolve(undefined) })],
  ['on Redis', ownRedis],
];
