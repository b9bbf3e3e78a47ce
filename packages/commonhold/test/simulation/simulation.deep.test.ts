import { afterAll, describe, expect, it } from 'vitest';
import { plantedBugs } from './planted-bugs.js';
import type { Protocol } from './protocol.js';
import { protocols } from './protocols.js';
import { describeFailures, hunt, ruleOf, runSeed, runSeeds } from './run-seed.js';

const hour = 3_600_000;
/** The seeds of `npm run test:simulation`; those of `npm run test:deep` where that is not set. */
const given = Number(process.env['COMMONHOLD_SIMULATION_SEEDS'] ?? '0');
const [name = '', seed, bug] = (process.env['COMMONHOLD_SIMULATE'] ?? '').split(' ');
const rows: string[] = [];

function seedsOf(protocol: Protocol): number {
  return given > 0 ? given : (protocol.deepSeeds ?? 10_000);
}

function row(...columns: readonly (string | number)[]): void {
  rows.push(columns.map((column, index) => String(column).padEnd([10, 50, 12][index] ?? 0)).join(' '));
}

describe.skipIf(name === '')('one seed', () => {
  it(`${name} ${seed}`, async () => {
    const protocol = protocols.find((one) => one.name === name);
    if (protocol === undefined) throw new Error(`one of ${protocols.map((one) => one.name).join(', ')}`);
    const planted = bug === undefined ? {} : (plantedBugs[Number(bug) - 1] ?? {});
    const failure = await hunt(planted, () =>
      runSeed(protocol, Number(seed), { ...planted, trace: (line) => void process.stdout.write(`${line}\n`) }),
    );
    process.stdout.write(`${failure?.message ?? 'no rule was broken'}\n`);
  });
});

describe.skipIf(name !== '')('simulated protocols', () => {
  afterAll(() => void process.stdout.write(`${rows.join('\n')}\n`));

  it.each(protocols)(
    '$name bears whatever happens',
    async (protocol) => {
      const { runs, failures, tookMs } = await runSeeds(protocol, 1, seedsOf(protocol));
      row(
        protocol.name,
        `${runs} seeds`,
        `${Math.round((runs / tookMs) * 1000)} a second`,
        `${failures.length} failures`,
      );
      expect(describeFailures(protocol, failures)).toEqual([]);
    },
    hour,
  );

  it.each(plantedBugs)(
    'caught: $protocol.name, $name',
    async (planted) => {
      const { protocol } = planted;
      const { runs, failures } = await hunt(planted, () =>
        runSeeds(protocol, 1, planted.seeds, { ...planted, mostFailures: 1 }),
      );
      const [failure] = failures;
      row(
        protocol.name,
        planted.name,
        failure ? `seed ${failure.seed}` : `not in ${runs}`,
        failure ? ruleOf(failure) : '',
      );
      expect(failure && ruleOf(failure)).toEqual(planted.rule);
    },
    hour,
  );
});
