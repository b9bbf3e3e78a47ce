import { describe, it } from 'vitest';
import { readWriteLockConformance } from '../../src/testing/read-write-lock-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => readWriteLockConformance({ describe, it }, kind));
