import { describe, it } from 'vitest';
import { lockConformance } from '../../src/testing/lock-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => lockConformance({ describe, it }, kind));
