import { describe, it } from 'vitest';
import { rateLimitConformance } from '../../src/testing/rate-limit-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => rateLimitConformance({ describe, it }, kind));
