import { afterAll, beforeAll, describe, it } from 'vitest';
import * as testing from '../../src/testing/index.js';
import { redisClusterEngine, startRedisCluster } from '../../src/testing/index.js';

// Starting a cluster takes seconds, so that all features share one.
let cluster: testing.RedisCluster | undefined;
beforeAll(async () => {
  cluster = await startRedisCluster({ masters: 3, replicas: 1 });
});
afterAll(() => cluster?.stop());

const kind = (): testing.EngineKind => {
  if (cluster === undefined) throw new Error('the cluster has not started yet');
  return redisClusterEngine(cluster);
};

type Conformance = (runner: testing.TestRunner, kind: () => testing.EngineKind) => void;

const suites = Object.entries(testing).filter(([name]) => name.endsWith('Conformance')) as [string, Conformance][];

// Every suite that the testing kit ships, so that none is forgotten.
describe.each(suites)('%s on three masters with replicas', (_, conformance) => {
  conformance({ describe, it }, kind);
});
