import { describe, it } from 'vitest';
import { abortConformance } from '../../src/testing/abort-conformance.js';
import { closeConformance } from '../../src/testing/close-conformance.js';
import { iterationConformance } from '../../src/testing/iteration-conformance.js';
import { schemaConformance } from '../../src/testing/schema-conformance.js';
import { viewConformance } from '../../src/testing/view-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  closeConformance({ describe, it }, kind);
  abortConformance({ describe, it }, kind);
  iterationConformance({ describe, it }, kind);
  schemaConformance({ describe, it }, kind);
  viewConformance({ describe, it }, kind);
});
