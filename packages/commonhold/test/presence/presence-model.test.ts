import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { PresenceChange, PresenceSpace } from '../../src/presence/presence-port.js';
import { presenceOperations } from '../../src/presence/presence-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

// Time moves in whole seconds; leases and silences end between them.
const leaseMs = fc.constantFrom(2_500, 5_500);
const space: fc.Arbitrary<PresenceSpace> = fc.constantFrom(
  { name: 'p', prefix: undefined, silenceMs: 6_500 },
  { name: 'q*', prefix: undefined, silenceMs: 60_500 },
);
const seat = fc.constantFrom('a#1/x', 'b#2/x', 'b#2/y');
const id = fc.constantFrom('s1', 's2', 's-3');
const number = fc.constantFrom(1, 2);
const region = fc.constantFrom('r', 's:t', '*');
const user = fc.constantFrom('', 'ada', 'b:c');
const location = fc.constantFrom('', '1,-2.5');

const details = fc.record({
  user,
  region: fc.oneof(region, fc.constant('')),
  location,
  meta: fc.constantFrom('', '{"a":"é/"}'),
  agent: fc.constant(''),
});
const change: fc.Arbitrary<PresenceChange> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('join' as const, 'join' as const, 'restore' as const),
    id,
    number,
    details,
    idleMs: fc.constantFrom(0, 3_000),
    joinedAtMs: fc.constantFrom(undefined, 1_700_000_000_000),
  }),
  fc.record({ kind: fc.constant('move' as const), id, number, region: fc.oneof(region, fc.constant('')), location }),
  fc.record({ kind: fc.constant('leave' as const), id, number }),
);

/** A step that calls one method with the given arguments. */
function call<Method extends keyof Ports['presence']>(
  method: Method,
  ...args: Parameters<Ports['presence'][Method]>
): ModelStep {
  const run = ({ presence: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

const active = fc.array(fc.record({ id, number, idleMs: fc.constantFrom(0, 1_000, 7_000) }), { maxLength: 3 });
const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(1_000, 2_000).map((ms) => ({ label: `advance ${ms}`, advanceMs: ms })) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(space, seat, leaseMs, fc.array(change, { minLength: 1, maxLength: 3 }))
      .map((args) => call('change', ...args)),
  },
  { weight: 2, arbitrary: fc.tuple(space, seat, leaseMs, active, fc.boolean()).map((args) => call('beat', ...args)) },
  fc.tuple(space, id).map((args) => call('get', ...args)),
  fc.tuple(space, fc.uniqueArray(region)).map((args) => call('members', ...args)),
  fc.tuple(space, region).map((args) => call('count', ...args)),
  fc.tuple(space, fc.constantFrom('ada', 'b:c')).map((args) => call('user', ...args)),
);

describe('presence model', () => checkModel(steps));
describe('commands of presence', () => checkCommands(presenceOperations));
describe('keys of presence', () => checkKeys('<ns>:presence:'));
