import { startRedisServer } from 'commonhold/testing';
import { describe } from 'vitest';
import { contract, type Processes } from './contract.js';
import { Ends, startRoad } from './place.js';
import { startPostgres } from './postgres.js';

/** One process in memory, below a path, as the state server mounts it. */
async function inMemory(): Promise<Processes> {
  const ends = new Ends();
  const { base } = await startRoad({ atRoot: false, atEnd: ends.add });
  // The embedded database takes some seconds, once.
  await fetch(`${base}/segments?regionId=000000`);
  return { bases: [base], close: ends.run };
}

/** Processes of one Redis; of one PostgreSQL too, where `stores`. */
async function onRedis(count: number, stores: boolean, variables: Record<string, string> = {}): Promise<Processes> {
  const ends = new Ends();
  const redis = await startRedisServer();
  ends.add(() => redis.stop());
  const shared: Record<string, string> = { REDIS_URL: redis.url, ...variables };
  if (stores) {
    const postgres = await startPostgres();
    ends.add(() => postgres.stop());
    shared['DATABASE_URL'] = await postgres.database();
  }
  const bases: string[] = [];
  for (let index = 0; index < count; index++) {
    bases.push((await startRoad({ variables: shared, atEnd: ends.add })).base);
  }
  return { bases, close: ends.run };
}

describe('S3.13: the contract, in memory with the embedded database', () => contract(inMemory));

describe('S3.13: the same contract, on Redis and PostgreSQL, two processes', () => contract(() => onRedis(2, true)));

describe('the contract, on Redis without a database, documented keys', () =>
  contract(() => onRedis(1, false, { ROAD_KEY_LAYOUT: 'documented' }), { stores: false }));
