import fc from 'fast-check';
import { it } from 'vitest';
import { memoryEngine, stoppedRedisEngine } from '../src/testing/engine.js';
import { compareTwins, type ModelStep } from '../src/testing/model.js';
import { seedFromEnvironment } from '../src/testing/random.js';
import { useServer } from './engines.js';

const stepsPerFeature = Number(process.env['COMMONHOLD_MODEL_STEPS'] ?? 20_000);
const stepsPerRun = 50;

/**
 * Declares the model check of one feature: at least 20,000 random steps on both twins, every answer compared. A failure
 * prints the seed and the shortest sequence found; `COMMONHOLD_SEED` runs it again.
 */
export function checkModel(step: fc.Arbitrary<ModelStep>): void {
  const server = useServer();
  it(`answers alike over ${stepsPerFeature} steps`, { timeout: 120_000 }, async () => {
    const twins = { left: memoryEngine, right: stoppedRedisEngine(server()) };
    const run = fc.array(step, { minLength: stepsPerRun, maxLength: stepsPerRun });
    await fc.assert(
      fc.asyncProperty(run, (steps) => compareTwins(twins, steps)),
      { seed: seedFromEnvironment(), numRuns: Math.ceil(stepsPerFeature / stepsPerRun), endOnFailure: false },
    );
  });
}
