import { describe, it } from 'vitest';
import { uniqueSetConformance } from '../../src/testing/unique-set-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => uniqueSetConformance({ describe, it }, kind));
