import { describe, it } from 'vitest';
import { runOnceConformance } from '../../src/testing/run-once-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => runOnceConformance({ describe, it }, kind));
