import { describe, it } from 'vitest';
import { memoryEngine, redisEngine } from '../../src/testing/engine.js';
import { everyConformance } from '../../src/testing/every-conformance.js';
import { useServer } from '../engines.js';

// It stands on a lock and a map, which are tested on a clustered node by themselves; ticks take real seconds there.
describe('on memory', () => everyConformance({ describe, it }, () => memoryEngine));
describe('on redis', () => {
  const server = useServer();
  everyConformance({ describe, it }, () => redisEngine(server()));
});
