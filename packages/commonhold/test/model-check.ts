import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Operations } from '../src/operation.js';
import { type EngineKind, memoryEngine, stoppedRedisEngine } from '../src/testing/engine.js';
import { compareTwins, type ModelStep } from '../src/testing/model.js';
import { seedFromEnvironment } from '../src/testing/random.js';
import type { RedisServer } from '../src/testing/redis-server.js';
import { CommandRecorder } from './command-recorder.js';
import { documentedKeys, KeyRecorder } from './key-recorder.js';
import { useServer } from './engines.js';

/** How a model check is run. */
export interface ModelOptions {
  /** What comes before the random steps. */
  readonly first?: () => ModelStep;
  /** The engine on Redis; one whose clock stands still unless told otherwise. */
  readonly redis?: (server: RedisServer) => EngineKind;
  /** Put around both engines. */
  readonly around?: (kind: EngineKind) => EngineKind;
  /** How many steps one fresh store sees; 50 unless told otherwise. */
  readonly stepsPerRun?: number;
}

/** `COMMONHOLD_MODEL_STEPS` for each model. */
const modelSteps = Number(process.env['COMMONHOLD_MODEL_STEPS'] ?? 20_000);
const recorder = new CommandRecorder();
const keys = new KeyRecorder();
const page = join(import.meta.dirname, '../../../docs/commands.md');
const row = /^\| (\S+) \| (\d+|n) \| (\d+) \| (.+) \|$/gm;

/**
 * Declares the model check of one feature: at least 20,000 random steps on both twins, every answer compared. A failure
 * prints the seed and the shortest sequence found; `COMMONHOLD_SEED` runs it again.
 */
export function checkModel(step: fc.Arbitrary<ModelStep>, options: ModelOptions = {}): void {
  const server = useServer();
  it(`answers alike over ${modelSteps} steps`, { timeout: 120_000 + modelSteps * 6 }, async () => {
    const { first, redis = stoppedRedisEngine, around = (kind) => kind, stepsPerRun = 50 } = options;
    const twins = { left: around(memoryEngine), right: around(recorder.watch(redis(server()))) };
    const unwatch = await keys.watch(server());
    const run = fc.array(step, { minLength: stepsPerRun, maxLength: stepsPerRun });
    await fc.assert(
      fc.asyncProperty(run, (steps) => compareTwins(twins, first === undefined ? steps : [first(), ...steps])),
      { seed: seedFromEnvironment(), numRuns: Math.ceil(modelSteps / stepsPerRun), endOnFailure: false },
    );
    await unwatch();
  });
}

/**
 * Declares, behind the model checks of a feature, that each of its operations was among their steps, and that none sent
 * more than docs/commands.md says.
 */
export function checkCommands<Port>(operations: Operations<Port>): void {
  const names = Object.values<{ readonly name: string }>(operations).map(({ name }) => name);
  it.each(names)('%s sends what docs/commands.md says', (name) => {
    const sent = recorder.sent.get(name);
    if (sent === undefined) throw new Error(`no step of the model check sent anything for ${name}`);
    const stated = statedIn(readFileSync(page, 'utf8')).get(name);
    const seen = `| ${name} | ${sent.commands} | ${sent.trips} | ${[...sent.names].toSorted().join(', ')} |`;
    if (stated === undefined) throw new Error(`docs/commands.md has no row like ${seen}`);
    expect(sent.commands, `commands; seen was ${seen}`).toBeLessThanOrEqual(stated.commands);
    expect(sent.trips, `round trips; seen was ${seen}`).toBeLessThanOrEqual(stated.trips);
    expect([...stated.names], `what is sent; seen was ${seen}`).toEqual(expect.arrayContaining([...sent.names]));
  });
}

/**
 * Declares, behind the model checks of a feature, that they wrote its keys of docs/key-layout.md, and no other.
 *
 * @param begin what the keys on that page begin with
 * @param rare ends of keys that the steps need not write
 */
export function checkKeys(begin: string, rare: readonly string[] = []): void {
  it('writes the keys of docs/key-layout.md', () => {
    const own = documentedKeys().map(({ key }) => key);
    const missing = own.filter((key) => key.startsWith(begin) && !keys.documented.has(key));
    expect([...keys.unknown].slice(0, 20)).toEqual([]);
    expect(missing.filter((key) => !rare.some((end) => key.endsWith(end)))).toEqual([]);
  });
}

function statedIn(text: string): Map<string, { commands: number; trips: number; names: string[] }> {
  const rows = [...text.matchAll(row)].map(([, name = '', commands, trips, sent = '']) => {
    const most = commands === 'n' ? Number.POSITIVE_INFINITY : Number(commands);
    return [name, { commands: most, trips: Number(trips), names: sent.split(', ') }] as const;
  });
  return new Map(rows);
}
