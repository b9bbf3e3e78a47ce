import { describe, it } from 'vitest';
import { schemaConformance } from '../../src/testing/schema-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  schemaConformance({ describe, it }, kind);
});
