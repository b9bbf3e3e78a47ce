import { describe, it } from 'vitest';
import { rateLimitConformance } from '../../src/testing/rate-limit-conformance.js';
import { rateLimitOperationConformance } from '../../src/testing/rate-limit-operation-conformance.js';
import { rateLimitRulesConformance } from '../../src/testing/rate-limit-rules-conformance.js';
import { rateLimitWaitConformance } from '../../src/testing/rate-limit-wait-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  rateLimitConformance({ describe, it }, kind);
  rateLimitOperationConformance({ describe, it }, kind);
  rateLimitRulesConformance({ describe, it }, kind);
  rateLimitWaitConformance({ describe, it }, kind);
});
