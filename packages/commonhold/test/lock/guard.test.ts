import { describe, it } from 'vitest';
import { lockGuardConformance } from '../../src/testing/lock-guard-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => lockGuardConformance({ describe, it }, kind));
