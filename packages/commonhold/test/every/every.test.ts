import { describe, it } from 'vitest';
import { memoryEngine, redisEngine } from '../../src/testing/engine.js';
import { everyConformance } from '../../src/testing/every-conformance.js';
import { useServer } from '../engines.js';

// Ticks take real seconds on a server, where nobody's engine is in another's way. What it stands on is tested on a clustered node.
describe('on memory', () => everyConformance({ describe, it }, () => memoryEngine));
describe('on redis', () => {
  const server = useServer();
  everyConformance({ describe, it: it.concurrent }, () => redisEngine(server()));
});
