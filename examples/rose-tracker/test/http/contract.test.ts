import { startRedisServer } from 'commonhold/testing';
import { describe } from 'vitest';
import { contract } from '../contract.js';
import { startWorker } from '../homes.js';

describe('S0.4: the contract in memory', () => {
  contract(async () => {
    const worker = await startWorker();
    return { bases: [worker.base], close: () => worker.close() };
  });
});

describe('S0.4: the contract on Redis, two workers, below a path', () => {
  contract(async () => {
    const redis = await startRedisServer();
    const options = { atRoot: false, variables: { REDIS_URL: redis.url } };
    const workers = [await startWorker(options), await startWorker(options)];
    return {
      bases: workers.map(({ base }) => base),
      close: async () => {
        await Promise.all(workers.map((worker) => worker.close()));
        await redis.stop();
      },
    };
  });
});
