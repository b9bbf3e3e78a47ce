import { describe, it } from 'vitest';
import { guardConformance } from '../../src/testing/guard-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => guardConformance({ describe, it }, kind));
