import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import { ownersOperations } from '../../src/owners/owners-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const owner = fc.constantFrom('a#1', 'b c#2', 'd#3');
const name = fc.constantFrom('x', 'y', 'x:y', '*');
// Time moves in whole seconds and leases end between them.
const leaseMs = fc.constantFrom(2_500, 5_500);

/** A step that calls one method with the given arguments. */
function call<Method extends keyof Ports['owners']>(
  method: Method,
  ...args: Parameters<Ports['owners'][Method]>
): ModelStep {
  const run = ({ owners: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  { weight: 3, arbitrary: fc.tuple(owner, leaseMs, fc.boolean()).map((args) => call('renew', ...args)) },
  { weight: 3, arbitrary: fc.tuple(owner, name).map((args) => call('hold', ...args)) },
  fc.tuple(owner, name).map((args) => call('release', ...args)),
  fc.tuple(owner, fc.uniqueArray(name)).map((args) => call('restore', ...args)),
  { weight: 2, arbitrary: fc.tuple(owner, name).map((args) => call('takeOver', ...args)) },
  owner.map((id) => call('leave', id)),
  fc.constant(call('list')),
  fc.constant(call('orphans')),
);

describe('owners model', () => checkModel(steps));
describe('commands of owners', () => checkCommands(ownersOperations));
describe('keys of owners', () => checkKeys('<ns>:owners:'));
