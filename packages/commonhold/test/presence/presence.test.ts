import { describe, it } from 'vitest';
import { presenceConformance } from '../../src/testing/presence-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => presenceConformance({ describe, it }, kind));
