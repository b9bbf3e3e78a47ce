import { describe, it } from 'vitest';
import { leaderConformance } from '../../src/testing/leader-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => leaderConformance({ describe, it }, kind));
