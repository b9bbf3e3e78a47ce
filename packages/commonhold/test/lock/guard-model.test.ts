import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { Guard } from '../../src/guard.js';
import type { MapSpace } from '../../src/map/map-port.js';
import type { QueueAddress } from '../../src/queue/queue-port.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkKeys, checkModel } from '../model-check.js';

const space = fc
  .tuple(fc.constantFrom('a', 'b*'), fc.boolean())
  .map(([name, timed]): MapSpace => ({ name, prefix: undefined, timed, changes: false }));
const key = fc.constantFrom('x', 'y');
const counter = fc.constantFrom('a', 'b*');
const ttlMs = fc.constantFrom(undefined, 2_500);
const guard = fc.option(
  fc.record<Guard>({ lock: fc.constantFrom('l', 'l:%'), token: fc.constantFrom('9', '10', '9007199254740991') }),
  { nil: undefined, freq: 4 },
);
const queue: QueueAddress = {
  name: 'q',
  documented: undefined,
  notices: false,
  keepCompletedMs: 0,
  keepFailedMs: 0,
  limits: undefined,
};
let batches = 0;

/** A step of one port. */
function step(name: string, args: unknown, run: (ports: Ports) => Promise<unknown>): ModelStep {
  return { label: `${name} ${JSON.stringify(args)}`, run };
}

// Time never moves by just the days that a fence is kept: native expiry goes on in real time.
const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc
    .constantFrom(1_000, 50_000_100, 90_000_100, 172_700_100)
    .map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  fc.tuple(space, key, ttlMs, guard).map((args) => {
    const [of, name, ttl, by] = args;
    return step('set', args, ({ map }) => map.set(of, 'o', [[name, '1']], ttl, by));
  }),
  fc.tuple(space, key, guard).map((args) => {
    const [of, name, by] = args;
    return step('map', args, async ({ map }) => [
      await map.has(of, name),
      await map.get(of, name, by),
      await map.getMany(of, [name], by),
      await map.add(of, 'o', name, '2', undefined, by),
      await map.touch(of, name, 5_500, by),
      (await map.replace(of, 'o', name, undefined, '3', undefined, by)).written,
    ]);
  }),
  fc.tuple(space, key, guard).map((args) => {
    const [of, name, by] = args;
    return step('delete', args, ({ map }) => map.delete(of, 'o', [name], by));
  }),
  fc.tuple(space, guard).map((args) => step('clear', args, ({ map }) => map.clear(args[0], 'o', args[1]))),
  fc.tuple(counter, ttlMs, fc.boolean(), guard).map((args) => {
    const [name, ttl, daily, by] = args;
    return step('add', args, (ports) => ports.counter.add(name, 1, ttl, daily ? 1_000 : undefined, by));
  }),
  fc.tuple(counter, guard).map((args) => step('get', args, (ports) => ports.counter.get(...args))),
  fc.tuple(counter, guard).map((args) => step('reset', args, (ports) => ports.counter.reset(...args))),
  guard.map((by) => {
    const number = ++batches;
    const job = {
      id: undefined,
      priority: 5,
      delayMs: 0,
      topic: undefined,
      group: undefined,
      data: '1',
      options: '',
      fields: [],
      searchedBy: undefined,
    };
    return step('queue', [number, by], async (ports) => {
      const added = await ports.queue.add(queue, { adder: 'o', number, jobs: [job], guard: by });
      return [added.length, (await ports.queue.totals(queue)).total];
    });
  }),
);

describe('guard model', () => checkModel(steps));
describe('keys of a fenced counter', () => checkKeys('<ns>:counter:', [':operation:<id>']));
