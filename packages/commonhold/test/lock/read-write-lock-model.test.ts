import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import { readWriteLockOperations } from '../../src/lock/lock-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const lock = fc.constantFrom('a', 'b*');
const mode = fc.constantFrom('read' as const, 'read' as const, 'write' as const);
const member = fc.record({ owner: fc.constantFrom('o:%#x', 'p'), id: fc.constantFrom('1', '2') });
// Time moves in whole seconds and leases end between them: native expiry goes on in real time.
const leaseMs = fc.constantFrom(1_500, 4_500);
const waitMs = fc.constantFrom(0, 2_500, 2_500, 6_500);

type Port = Ports['readWriteLock'];

/** A step that calls one method with the given arguments. */
function call<Method extends keyof Port>(method: Method, ...args: Parameters<Port[Method]>): ModelStep {
  const run = ({ readWriteLock: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(1_000, 1_000, 3_000, 43_200_000)
      .map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  },
  { weight: 12, arbitrary: fc.tuple(lock, mode, member, leaseMs, waitMs).map((args) => call('acquire', ...args)) },
  { weight: 4, arbitrary: fc.tuple(lock, mode, member, leaseMs).map((args) => call('renew', ...args)) },
  { weight: 7, arbitrary: fc.tuple(lock, mode, member).map((args) => call('release', ...args)) },
  { weight: 4, arbitrary: lock.map((name) => call('status', name)) },
);

describe('read-write lock model', () => checkModel(steps));
describe('commands of read-write locks', () => checkCommands(readWriteLockOperations));
describe('keys of read-write locks', () => checkKeys('<ns>:read-write-lock:'));
