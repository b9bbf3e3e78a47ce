import { describe, it } from 'vitest';
import { presenceLifeConformance } from '../../src/testing/presence-life-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => presenceLifeConformance({ describe, it }, kind));
