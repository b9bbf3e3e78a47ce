import { defineConfig } from 'vitest/config';

/** Tests whose verdict is a time that passed on a real server: with the cores to themselves, one file after the other. */
const timed = [
  'packages/commonhold/test/backend/redis/*.test.ts',
  'packages/commonhold/test/**/*-{faults,outage,processes}.test.ts',
  'packages/server/test/run-server.test.ts',
  'scripts/test/topology*.test.ts',
  'examples/*/test/acceptance/*.test.ts',
  'examples/*/test/programs/*.test.ts',
];

/** What takes minutes: `npm run test:deep`, never the CI. */
const deep = ['**/*.deep.test.ts'];

const all = ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'scripts/test/*.test.ts'];
const limits = { pool: 'forks', testTimeout: 20_000, hookTimeout: 20_000 } as const;

function deepOf(pattern: string): string {
  return pattern.replace(/\.test\.ts$/, '.deep.test.ts');
}

const projects = [
  {
    test: {
      name: 'all',
      include: all,
      exclude: [...timed, ...deep],
      maxWorkers: 2,
      sequence: { groupOrder: 0 },
      ...limits,
    },
  },
  { test: { name: 'timed', include: timed, exclude: deep, maxWorkers: 1, sequence: { groupOrder: 1 }, ...limits } },
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
  test: { projects: process.env['DEEP'] === '1' ? deepProjects : projects },
});
