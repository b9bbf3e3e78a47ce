import { type RedisServer, startRedisServer } from 'commonhold/testing';
import { afterAll, beforeAll } from 'vitest';

/** A Redis for the tests of one `describe`, empty with each call of `url`. */
export interface OwnRedis {
  readonly server: RedisServer;
  url(): Promise<string>;
}

/** Starts one before the tests and stops it after them. */
export function ownRedis(): OwnRedis {
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
