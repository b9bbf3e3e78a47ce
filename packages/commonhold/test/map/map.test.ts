import { describe, it } from 'vitest';
import { mapConformance } from '../../src/testing/map-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => mapConformance({ describe, it }, kind));
