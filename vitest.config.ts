import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests whose bounds are milliseconds on a real server: they go last, when nothing else takes the cores. */
const timed = [
  'packages/commonhold/test/backend/redis/{redis-bus,redis-connection,redis-link,redis-wire,tls}.test.ts',
  'packages/commonhold/test/**/{cluster-processes,lock-faults,presence-faults,unique-set-faults}.test.ts',
  'packages/commonhold/test/backend/resilient/outage-figures.test.ts',
  'packages/server/test/health.test.ts',
  'examples/attendx/test/cache/cache-utility.test.ts',
  'examples/ocr-platform/test/acceptance/processes.test.ts',
  'examples/road-quality/test/acceptance/{health,taxis}.test.ts',
  'packages/server/test/run-server.test.ts',
  'examples/attendx/test/acceptance/*.test.ts',
];

/** What takes minutes: `npm run test:deep`, never the CI. */
const deep = ['**/*.deep.test.ts'];

/** What takes long begins first, so that no worker is left alone with it at the end. In this order, by a part of the path. */
const longest = [
  '/cluster-conformance.',
  '/queue-processes.',
  '/containers.',
  '/topology-contracts.',
  '/contract.',
  '/acceptance/',
  '/page.test.',
  '/queue-faults.',
  '/ocr-platform/test/sockets/',
  '/ocr-platform/test/http/',
  '-processes.',
  '/planted-bugs.',
  '/queue.test.',
  '-faults.',
  '/topology.',
  '-model.',
  '/programs/',
  '/run-server.',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((part) => moduleId.includes(part));
      return index === -1 ? longest.length : index;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sequencer's own, of files
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

const all = ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'scripts/test/*.test.ts'];
// Bounds of a minute end what hangs; no test is wrong because the machine is slow.
const limits = { pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000 } as const;

function deepOf(pattern: string): string {
  return pattern.replace(/\.test\.ts$/, '.deep.test.ts');
}

const projects = [
  // Three for two cores: a test of a server waits for it as long as it computes.
  {
    test: {
      name: 'all',
      include: all,
      exclude: [...timed, ...deep],
      maxWorkers: 3,
      sequence: { groupOrder: 0 },
      ...limits,
    },
  },
  { test: { name: 'timed', include: timed, exclude: deep, maxWorkers: 2, sequence: { groupOrder: 1 }, ...limits } },
];
/** Of the model checks `npm test` runs a share, and this a million steps. */
const models = ['packages/commonhold/test/*/*-model.test.ts'];
const deepProjects = [
  { test: { name: 'models', include: models, maxWorkers: 2, sequence: { groupOrder: 0 }, ...limits } },
  {
    test: {
      name: 'deep',
      include: all.map(deepOf),
      maxWorkers: 1,
      sequence: { groupOrder: 1 },
      ...limits,
      testTimeout: 600_000,
    },
  },
];

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: process.env['DEEP'] === '1' ? deepProjects : projects,
  },
});
