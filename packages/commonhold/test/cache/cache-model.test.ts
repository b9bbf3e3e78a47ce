import fc from 'fast-check';
import { describe } from 'vitest';
import type { ModelStep } from '../../src/testing/model.js';
import { checkModel } from '../model-check.js';

const cache = fc.constantFrom('a', 'b*');
const key = fc.constantFrom('x', 'xy', 'x:y', '*');
const value = fc.constantFrom('1', '"two"', Buffer.from([1, 0, 255]));
// Time moves in whole seconds and lifetimes end between them, so that the milliseconds a real server takes decide nothing.
const ttlMs = fc.constantFrom(undefined, 2_500, 5_500);
const token = fc.constantFrom('t1', 't2');
const owner = fc.constantFrom('o1', 'o2');

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  fc.tuple(cache, key).map(([c, k]) => ({ label: `get ${c} ${k}`, run: (ports) => ports.cache.get(c, k) })),
  fc.tuple(cache, fc.array(key, { maxLength: 3 }), value, ttlMs).map(([c, keys, v, t]) => ({
    label: `setMany ${c} ${keys} ${v} ${t}`,
    run: (ports) =>
      ports.cache.setMany(
        c,
        keys.map((k) => [k, v] as const),
        t,
      ),
  })),
  fc.tuple(cache, key, value, ttlMs).map(([c, k, v, t]) => ({
    label: `set ${c} ${k} ${v} ${t}`,
    run: (ports) => ports.cache.set(c, k, v, t),
  })),
  fc.tuple(cache, fc.array(key, { maxLength: 3 })).map(([c, keys]) => ({
    label: `getMany ${c} ${keys}`,
    run: (ports) => ports.cache.getMany(c, keys),
  })),
  fc.tuple(cache, fc.uniqueArray(key, { maxLength: 3 })).map(([c, keys]) => ({
    label: `delete ${c} ${keys}`,
    run: (ports) => ports.cache.delete(c, keys),
  })),
  fc.tuple(cache, key, token, fc.constantFrom(2_500, 5_500), owner).map(([c, k, t, lease, o]) => ({
    label: `claim ${c} ${k} ${t} ${lease} ${o}`,
    run: async (ports) => {
      const claim = await ports.cache.claim(c, k, t, lease, o);
      // Milliseconds of real time pass between claims on a real server.
      return claim.state === 'wait' ? Math.ceil(claim.leaseMs / 1_000) : claim;
    },
  })),
  fc.tuple(cache, key, token, value, ttlMs).map(([c, k, t, v, ttl]) => ({
    label: `fulfil ${c} ${k} ${t} ${v} ${ttl}`,
    run: (ports) => ports.cache.fulfil(c, k, t, v, ttl),
  })),
  fc.tuple(cache, key, token).map(([c, k, t]) => ({
    label: `abandon ${c} ${k} ${t}`,
    run: (ports) => ports.cache.abandon(c, k, t),
  })),
  fc.tuple(cache, fc.constantFrom('', 'x', 'x:', '*')).map(([c, prefix]) => ({
    label: `clear ${c} ${prefix}`,
    run: async (ports) => {
      let removed = 0;
      let cursor = '0';
      do {
        const step = await ports.cache.clear(c, prefix, cursor);
        removed += step.removed;
        cursor = step.cursor;
      } while (cursor !== '0');
      return removed;
    },
  })),
);

describe('cache model', () => checkModel(steps));
