import { describe, it } from 'vitest';
import { sessionAccountConformance } from '../../src/testing/session-account-conformance.js';
import { sessionConformance } from '../../src/testing/session-conformance.js';
import { sessionLifeConformance } from '../../src/testing/session-life-conformance.js';
import { sessionWatchConformance } from '../../src/testing/session-watch-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  sessionConformance({ describe, it }, kind);
  sessionLifeConformance({ describe, it }, kind);
  sessionAccountConformance({ describe, it }, kind);
  sessionWatchConformance({ describe, it }, kind);
});
