import { describe, it } from 'vitest';
import { queueConformance } from '../../src/testing/queue-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => queueConformance({ describe, it }, kind));
