import { describe, it } from 'vitest';
import { cacheConformance } from '../../src/testing/cache-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => cacheConformance({ describe, it }, kind));
