import { describe, it } from 'vitest';
import { cacheConformance } from '../../src/testing/cache-conformance.js';
import { cacheLifeConformance } from '../../src/testing/cache-life-conformance.js';
import { cacheNearConformance } from '../../src/testing/cache-near-conformance.js';
import { cacheTagConformance } from '../../src/testing/cache-tag-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  cacheConformance({ describe, it }, kind);
  cacheLifeConformance({ describe, it }, kind);
  cacheNearConformance({ describe, it }, kind);
  cacheTagConformance({ describe, it }, kind);
});
