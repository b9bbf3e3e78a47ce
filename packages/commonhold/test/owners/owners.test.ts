import { describe, it } from 'vitest';
import { ownersConformance } from '../../src/testing/owners-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => ownersConformance({ describe, it }, kind));
