import { describe, it } from 'vitest';
import { runOnceBeginConformance } from '../../src/testing/run-once-begin-conformance.js';
import { runOnceConformance } from '../../src/testing/run-once-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  runOnceConformance({ describe, it }, kind);
  runOnceBeginConformance({ describe, it }, kind);
});
