import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import { runOnceOperations } from '../../src/run-once/run-once-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const name = fc.constantFrom('r', 'r*');
const key = fc.constantFrom('x', 'x:y');
const member = fc.record({ owner: fc.constantFrom('o:%#x', 'p'), id: fc.constantFrom('1', '2') });
const result = fc.constantFrom('1', '"two"', Buffer.from([1, 0, 255]));
// Time moves in whole seconds and leases end between them: native expiry goes on in real time.
const leaseMs = fc.constantFrom(1_300, 4_300);
const waitMs = fc.constantFrom(0, 2_500, 2_500, 6_500);
const fingerprint = fc.constantFrom(undefined, undefined, 'a', 'b');
const keepMs = fc.constantFrom(3_400, 8_400);

/** A step that calls one method with the given arguments. */
function call<Method extends keyof Ports['runOnce']>(
  method: Method,
  ...args: Parameters<Ports['runOnce'][Method]>
): ModelStep {
  const run = ({ runOnce: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  },
  {
    weight: 10,
    arbitrary: fc.tuple(name, key, member, leaseMs, waitMs, keepMs, fingerprint).map((args) => call('claim', ...args)),
  },
  { weight: 3, arbitrary: fc.tuple(name, key, member, leaseMs, keepMs).map((args) => call('renew', ...args)) },
  { weight: 3, arbitrary: fc.tuple(name, key, member, result, keepMs).map((args) => call('finish', ...args)) },
  { weight: 4, arbitrary: fc.tuple(name, key, member, keepMs).map((args) => call('leave', ...args)) },
  { weight: 4, arbitrary: fc.tuple(name, key).map((args) => call('get', ...args)) },
  { weight: 1, arbitrary: fc.tuple(name, key).map((args) => call('forget', ...args)) },
);

describe('run-once model', () => checkModel(steps));
describe('commands of run-once', () => checkCommands(runOnceOperations));
describe('keys of run-once', () => checkKeys('<ns>:run-once:'));
