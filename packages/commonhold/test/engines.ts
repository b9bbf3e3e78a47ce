import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Engine, type EngineKind, memoryEngine, redisEngine } from '../src/testing/engine.js';
import { type RedisServer, startRedisServer } from '../src/testing/redis-server.js';

/** Runs `body` on memory, on a real Redis, and on a cluster of one real node. */
export function onEveryEngine(body: (kind: () => EngineKind) => void): void {
  describe('on memory', () => body(() => memoryEngine));
  describe('on redis', () => body(withServer(false)));
  describe('on a cluster of one node', () => body(withServer(true)));
}

/** A real server for the tests of the enclosing block. */
export function useServer(options: { readonly cluster?: boolean } = {}): () => RedisServer {
  let server: RedisServer | undefined;
  beforeAll(async () => {
    server = await startRedisServer(options);
  });
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('the server has not started yet');
    return server;
  };
}

/** Declares tests that are each given a fresh engine on `server`, where time passes by itself as well. */
export function testsOnRedis(
  server: () => RedisServer,
): (name: string, work: (engine: Engine) => Promise<void>) => void {
  return (name, work) =>
    it(name, async () => {
      const engine = await redisEngine(server()).start();
      try {
        await work(engine);
      } finally {
        await engine.close();
      }
    });
}

function withServer(cluster: boolean): () => EngineKind {
  const server = useServer({ cluster });
  return () => redisEngine(server());
}
