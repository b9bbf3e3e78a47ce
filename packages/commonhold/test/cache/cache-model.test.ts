import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import { cacheOperations } from '../../src/cache/cache-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const cache = fc.constantFrom('a', 'b*');
const key = fc.constantFrom('x', 'xy', 'x:y', '*');
const value = fc.constantFrom('1', '"two"', Buffer.from([1, 0, 255]));
// Time moves in whole seconds and lifetimes end between them: native expiry goes on in real time.
const ttlMs = fc.constantFrom(undefined, 2_500, 5_500);
const token = fc.constantFrom('t1', 't2');
const owner = fc.constantFrom('o1', 'o2');
const leaseMs = fc.constantFrom(2_500, 5_500);
const freshMs = fc.constantFrom(0, 1_000, 3_000);
const announce = fc.boolean();
const write = fc.record({ value, ttlMs, announce });

/** A step that calls one method with the given arguments. */
function call<Method extends keyof Ports['cache']>(
  method: Method,
  ...args: Parameters<Ports['cache'][Method]>
): ModelStep {
  const run = ({ cache: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

async function clearAll(
  { cache: port }: Ports,
  name: string,
  prefix: string,
  match: string | undefined,
): Promise<number> {
  let removed = 0;
  let cursor = '0';
  do {
    const step = await port.clear(name, prefix, match, cursor, true);
    removed += step.removed;
    cursor = step.cursor;
  } while (cursor !== '0');
  return removed;
}

const tag = fc.constantFrom('t', 'u:1', '*');

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  fc.tuple(cache, key).map((args) => call('get', ...args)),
  fc.tuple(cache, key, value, ttlMs).map((args) => call('set', ...args)),
  fc.tuple(cache, fc.array(fc.tuple(key, value), { maxLength: 3 }), ttlMs).map((args) => call('setMany', ...args)),
  fc.tuple(cache, fc.array(key, { maxLength: 3 })).map((args) => call('getMany', ...args)),
  fc.tuple(cache, fc.uniqueArray(key, { maxLength: 3 }), announce).map((args) => call('delete', ...args)),
  fc.tuple(cache, key).map(([c, k]) => ({
    label: `read ${c} ${k}`,
    run: async (ports: Ports) => {
      const read = await ports.cache.read(c, k);
      return read && { value: read.value, left: read.leftMs && Math.ceil(read.leftMs / 1_000) };
    },
  })),
  fc.tuple(cache, key, write).map((args) => call('replace', ...args)),
  fc
    .tuple(cache, fc.uniqueArray(key, { maxLength: 3 }), fc.constantFrom(1, 1_000), announce)
    .map((args) => call('expire', ...args)),
  fc.tuple(cache, key, token, leaseMs, owner, freshMs).map(([c, k, t, lease, o, fresh]) => ({
    label: `claim ${c} ${k} ${t} ${lease} ${o} ${fresh}`,
    run: async (ports: Ports) => {
      const claim = await ports.cache.claim(c, k, t, lease, o, fresh);
      return 'leaseMs' in claim ? [claim.state, Math.ceil(claim.leaseMs / 1_000)] : claim;
    },
  })),
  fc.tuple(cache, key, token, write, freshMs).map((args) => call('fulfil', ...args)),
  fc.tuple(cache, key, token, leaseMs).map((args) => call('hold', ...args)),
  cache.map((c) => ({
    label: `marks ${c}`,
    run: async (ports: Ports) => [...(await ports.cache.marks(c))].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  })),
  fc.tuple(cache, fc.array(tag, { minLength: 1, maxLength: 3 })).map((args) => call('mark', ...args)),
  fc.tuple(cache, key, token).map((args) => call('abandon', ...args)),
  fc
    .tuple(cache, fc.constantFrom('', 'x', 'x:', '*'), fc.constantFrom(undefined, '*', '?', '*y', '[^x]', '\\*'))
    .map(([c, prefix, match]) => ({
      label: `clear ${c} ${prefix} ${match}`,
      run: (ports: Ports) => clearAll(ports, c, prefix, match),
    })),
);

describe('cache model', () => checkModel(steps));
describe('commands of cache', () => checkCommands(cacheOperations));
describe('keys of cache', () => checkKeys('<ns>:cache'));
