import { describe, it } from 'vitest';
import { mapChangeConformance } from '../../src/testing/map-change-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => mapChangeConformance({ describe, it }, kind));
