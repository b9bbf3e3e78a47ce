import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import { lockOperations } from '../../src/lock/lock-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const lock = fc.constantFrom('a', 'b*');
const member = fc.record({ owner: fc.constantFrom('o:%#x', 'p'), id: fc.constantFrom('1', '2') });
// Time moves in whole seconds and leases end between them: native expiry goes on in real time.
const leaseMs = fc.constantFrom(1_500, 4_500);
const waitMs = fc.constantFrom(0, 2_500, 2_500, 6_500);

/** A step that calls one method with the given arguments. */
function call<Method extends keyof Ports['lock']>(
  method: Method,
  ...args: Parameters<Ports['lock'][Method]>
): ModelStep {
  const run = ({ lock: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1_000, 3_000).map(advance) },
  { weight: 1, arbitrary: fc.constantFrom(43_200_000, 86_400_000).map(advance) },
  { weight: 10, arbitrary: fc.tuple(lock, member, leaseMs, waitMs).map((args) => call('acquire', ...args)) },
  { weight: 4, arbitrary: fc.tuple(lock, member, leaseMs).map((args) => call('renew', ...args)) },
  { weight: 6, arbitrary: fc.tuple(lock, member).map((args) => call('release', ...args)) },
  { weight: 4, arbitrary: lock.map((name) => call('status', name)) },
  { weight: 1, arbitrary: lock.map((name) => call('now', name)) },
);

function advance(advanceMs: number): ModelStep {
  return { label: `advance ${advanceMs}`, advanceMs };
}

describe('lock model', () => checkModel(steps));
describe('commands of lock', () => checkCommands(lockOperations));
describe('keys of lock', () => checkKeys('<ns>:lock:'));
