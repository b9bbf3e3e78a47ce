import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import { concurrencyOperations } from '../../src/concurrency/concurrency-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const limiter = fc.constantFrom('a', 'b*');
const subject = fc.constant('s:');
const member = fc.record({ owner: fc.constantFrom('o:%#x', 'p'), id: fc.constantFrom('1', '2') });
const limit = fc.integer({ min: 1, max: 3 });
// Time moves in whole seconds and leases end between them: native expiry goes on in real time.
const leaseMs = fc.constantFrom(1_500, 4_500);
const waitMs = fc.constantFrom(0, 2_500, 2_500, 6_500);

/** A step that calls one method with the given arguments. */
function call<Method extends keyof Ports['concurrency']>(
  method: Method,
  ...args: Parameters<Ports['concurrency'][Method]>
): ModelStep {
  const run = ({ concurrency: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  },
  {
    weight: 10,
    arbitrary: fc.tuple(limiter, subject, member, limit, leaseMs, waitMs).map((args) => call('acquire', ...args)),
  },
  { weight: 4, arbitrary: fc.tuple(limiter, subject, member, leaseMs).map((args) => call('renew', ...args)) },
  { weight: 6, arbitrary: fc.tuple(limiter, subject, member).map((args) => call('release', ...args)) },
  { weight: 4, arbitrary: fc.tuple(limiter, subject).map((args) => call('count', ...args)) },
);

describe('concurrency model', () => checkModel(steps));
describe('commands of concurrency', () => checkCommands(concurrencyOperations));
describe('keys of concurrency', () => checkKeys('<ns>:concurrency:'));
