import fc from 'fast-check';
import { describe } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { redisEngine } from '../../src/testing/engine.js';
import { counterOperations } from '../../src/counter/counter-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const dayMs = 86_400_000;
const counter = fc.constantFrom('a', 'a:b', '*');
const by = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53 - 3));
// Time moves in whole seconds and lifetimes end between them, so that the milliseconds a real server takes decide nothing.
const ttlMs = fc.constantFrom(undefined, 2_500, 5_500);
// For the same reason a day is kept for almost whole days: the two engines begin at different times of the day.
const keepMs = fc.constantFrom(dayMs - 1, 3 * dayMs - 1);

const id = fc.constantFrom('1', '2', '3 4');
// Remembered for longer or less long than the total lives; ends between whole seconds, as above.
const rememberMs = fc.constantFrom(3_400, 6_400);

const onces: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.tuple(counter, fc.integer({ min: 1, max: 2 }), ttlMs, id, rememberMs).map(([c, n, t, i, r]): ModelStep => ({
    label: `add once ${c} ${n} ${t} ${i} ${r}`,
    run: (ports) => ports.counter.addOnce(c, n, t, undefined, { id: i, rememberMs: r }),
  })),
  fc.tuple(counter, id, rememberMs).map(([c, i, r]): ModelStep => ({
    label: `reset once ${c} ${i} ${r}`,
    run: (ports) => ports.counter.resetOnce(c, { id: i, rememberMs: r }),
  })),
);

const reads: fc.Arbitrary<ModelStep> = fc.oneof(
  counter.map((c): ModelStep => ({ label: `get ${c}`, run: (ports) => ports.counter.get(c) })),
  counter.map((c): ModelStep => ({ label: `reset ${c}`, run: (ports) => ports.counter.reset(c) })),
);

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  reads,
  onces,
  fc.tuple(counter, by, ttlMs).map(([c, n, t]): ModelStep => ({
    label: `add ${c} ${n} ${t}`,
    run: (ports) => ports.counter.add(c, n, t, undefined),
  })),
);

const dailySteps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1, 3).map((days) => ({ label: `advance ${days} days`, advanceMs: days * dayMs })),
  reads,
  fc.tuple(counter, by, fc.constantFrom(undefined, 1.5 * dayMs), keepMs).map(([c, n, t, keep]): ModelStep => ({
    label: `add ${c} ${n} ${t} ${keep}`,
    run: (ports) => ports.counter.add(c, n, t, keep),
  })),
  fc.tuple(counter, by, keepMs, id).map(([c, n, keep, i]): ModelStep => ({
    label: `add once ${c} ${n} ${keep} ${i}`,
    run: (ports) => ports.counter.addOnce(c, n, undefined, keep, { id: i, rememberMs: 1.5 * dayMs }),
  })),
  fc.tuple(counter, keepMs, fc.integer({ min: 1, max: 9 })).map(([c, keep, days]): ModelStep => ({
    label: `series ${c} ${keep} ${days}`,
    run: async (ports) => (await ports.counter.series(c, keep, days, undefined)).counts,
  })),
  fc.tuple(counter, keepMs, fc.integer({ min: -3, max: 3 })).map(([c, keep, ahead]): ModelStep => ({
    label: `series ${c} ${keep} named, ${ahead} ahead`,
    run: async (ports) => {
      const { lastDay } = await ports.counter.series(c, keep, 1, undefined);
      return (await ports.counter.series(c, keep, 4, lastDay + ahead)).counts;
    },
  })),
);

describe('counter model', () => checkModel(steps));

describe('counter model, daily', () => checkModel(dailySteps, { first: toNoon, redis: redisEngine }));

describe('commands of counter', () => checkCommands(counterOperations));
describe('keys of counter', () => checkKeys('<ns>:counter:', [':fence:<lock>']));

// So that midnight does not come while the steps run.
function toNoon(): ModelStep {
  const sinceNoon = (systemClock.now() + dayMs / 2) % dayMs;
  return { label: 'to noon', advanceMs: dayMs - sinceNoon };
}
