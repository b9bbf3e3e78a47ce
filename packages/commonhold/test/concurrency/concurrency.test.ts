import { describe, it } from 'vitest';
import { concurrencyConformance } from '../../src/testing/concurrency-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => concurrencyConformance({ describe, it }, kind));
