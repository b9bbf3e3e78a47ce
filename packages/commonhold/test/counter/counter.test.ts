import { describe, it } from 'vitest';
import { counterConformance } from '../../src/testing/counter-conformance.js';
import { counterOperationConformance } from '../../src/testing/counter-operation-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  counterConformance({ describe, it }, kind);
  counterOperationConformance({ describe, it }, kind);
});
