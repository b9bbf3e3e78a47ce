import { describe, it } from 'vitest';
import { sessionConformance } from '../../src/testing/session-conformance.js';
import { sessionLifeConformance } from '../../src/testing/session-life-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  sessionConformance({ describe, it }, kind);
  sessionLifeConformance({ describe, it }, kind);
});
