import { describe, it } from 'vitest';
import { queueConformance } from '../../src/testing/queue-conformance.js';
import { queueGroupConformance } from '../../src/testing/queue-group-conformance.js';
import { queueLimitsConformance } from '../../src/testing/queue-limits-conformance.js';
import { queueResultConformance } from '../../src/testing/queue-result-conformance.js';
import { queueScheduleConformance } from '../../src/testing/queue-schedule-conformance.js';
import { queueSearchConformance } from '../../src/testing/queue-search-conformance.js';
import { queueTurnConformance } from '../../src/testing/queue-turn-conformance.js';
import { queueUpkeepConformance } from '../../src/testing/queue-upkeep-conformance.js';
import { queueWorkerConformance } from '../../src/testing/queue-worker-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => {
  queueConformance({ describe: describe.concurrent, it }, kind);
  queueWorkerConformance({ describe: describe.concurrent, it }, kind);
  queueLimitsConformance({ describe: describe.concurrent, it }, kind);
  queueGroupConformance({ describe: describe.concurrent, it }, kind);
  queueSearchConformance({ describe: describe.concurrent, it }, kind);
  queueUpkeepConformance({ describe: describe.concurrent, it }, kind);
  queueResultConformance({ describe: describe.concurrent, it }, kind);
  queueScheduleConformance({ describe: describe.concurrent, it }, kind);
  queueTurnConformance({ describe: describe.concurrent, it }, kind);
});
