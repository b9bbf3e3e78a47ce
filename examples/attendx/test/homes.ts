import { type RedisServer, startRedisServer } from 'commonhold/testing';
import { afterAll, beforeAll } from 'vitest';

/** Where a test's state lives. */
export interface Home {
  /** The variables that lead there; nothing is there yet. */
  variables(): Promise<Record<string, string>>;
}

/** A Redis for the tests of one `describe`. */
export interface RedisHome extends Home {
  readonly server: RedisServer;
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
    async variables(): Promise<Record<string, string>> {
      await this.server.command('FLUSHALL');
      return { REDIS_URL: this.server.url };
    },
  };
}

/** The engines that the contract holds on. */
export const homes: readonly (readonly [name: string, open: () => Home])[] = [
  ['in memory', () => ({ variables: () => Promise.resolve({}) })],
  ['on Redis', ownRedis],
];
