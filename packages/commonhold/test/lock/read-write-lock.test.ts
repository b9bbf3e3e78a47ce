import { describe, it } from 'vitest';
import { lockReadWriteConformance } from '../../src/testing/lock-read-write-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => lockReadWriteConformance({ describe, it }, kind));
