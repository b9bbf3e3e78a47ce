import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import { uniqueSetOperations } from '../../src/unique-set/unique-set-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import type { SetAddress } from '../../src/unique-set/unique-set-port.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const set = fc.constantFrom<SetAddress>(
  { name: 'a', prefix: undefined },
  { name: 'a:b', prefix: undefined },
  { name: '*', prefix: undefined },
);
const member = fc.constantFrom('', 'x', 'y', 'z', '*', '12', '\u{1f339}');
const batch = fc.array(member, { minLength: 1, maxLength: 5 });
// Time moves in whole seconds and lifetimes end between them, so that the milliseconds a real server takes decide nothing.
const ttlMs = fc.constantFrom(undefined, 2_500, 5_500);

// The order and the cut of pages are each engine's own; what all pages hold together is not.
async function allMembers(ports: Ports, from: SetAddress, limit: number): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const page = await ports.uniqueSet.members(from, cursor, limit);
    for (const one of page.members) found.add(one);
    ({ cursor } = page);
  } while (cursor !== '0');
  return [...found].toSorted();
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  {
    weight: 3,
    arbitrary: fc.tuple(set, batch, ttlMs).map(([s, b, t]): ModelStep => ({
      label: `add ${s.name} ${JSON.stringify(b)} ${t}`,
      run: (ports) => ports.uniqueSet.add(s, b, t),
    })),
  },
  fc.tuple(set, batch).map(([s, b]): ModelStep => ({
    label: `delete ${s.name} ${JSON.stringify(b)}`,
    run: (ports) => ports.uniqueSet.delete(s, b),
  })),
  fc.tuple(set, member).map(([s, m]): ModelStep => ({
    label: `has ${s.name} ${m}`,
    run: (ports) => ports.uniqueSet.has(s, m),
  })),
  fc.tuple(set, batch).map(([s, b]): ModelStep => ({
    label: `hasMany ${s.name} ${JSON.stringify(b)}`,
    run: (ports) => ports.uniqueSet.hasMany(s, b),
  })),
  set.map((s): ModelStep => ({ label: `count ${s.name}`, run: (ports) => ports.uniqueSet.count(s) })),
  set.map((s): ModelStep => ({ label: `clear ${s.name}`, run: (ports) => ports.uniqueSet.clear(s) })),
  fc.tuple(set, fc.integer({ min: 1, max: 4 })).map(([s, limit]): ModelStep => ({
    label: `members ${s.name} by ${limit}`,
    run: (ports) => allMembers(ports, s, limit),
  })),
);

describe('unique set model', () => checkModel(steps));
describe('commands of unique-set', () => checkCommands(uniqueSetOperations));
describe('keys of unique-set', () => checkKeys('<ns>:unique-set:'));
