import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { MapExpectation, MapRecord, MapSpace } from '../../src/map/map-port.js';
import { mapOperations } from '../../src/map/map-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

const space = fc
  .tuple(fc.constantFrom('a', 'b*'), fc.boolean(), fc.boolean())
  .map(([name, timed, changes]): MapSpace => ({ name, prefix: undefined, timed, changes }));
const key = fc.constantFrom('x', 'x|y', '*', 'é');
const value = fc.constantFrom('1', '"a|b"', Buffer.from([1, 0, 255, 124]));
const owner = fc.constantFrom('o#1', 'p|%7C#2');
// Time moves in whole seconds and lifetimes end between them: native expiry goes on in real time.
const ttlMs = fc.constantFrom(undefined, 2_500, 5_500);
const entries = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 3 });
const keys = fc.array(key, { minLength: 1, maxLength: 3 });
const advance = fc
  .constantFrom(1_000, 1_000, 3_000, 3_601_000)
  .map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs }));

type Port = Ports['map'];

/** A step that calls one method with the given arguments. */
function call<Method extends Exclude<keyof Port, 'page' | 'replace'>>(
  method: Method,
  ...args: Parameters<Port[Method]>
): ModelStep {
  const run = ({ map: port }: Ports): Promise<unknown> =>
    (port[method] as (...all: typeof args) => Promise<unknown>).call(port, ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

/** Everything there is, by key: the order of pages is each engine's own. */
async function allEntries({ map: port }: Ports, of: MapSpace): Promise<unknown> {
  const found = new Map<string, MapRecord | undefined>();
  let cursor = '0';
  let version: number;
  let nowMs: number;
  do {
    const page = await port.page(of, cursor, 2);
    for (const [name, record] of page.entries) found.set(name, record);
    ({ cursor, version, nowMs } = page);
  } while (cursor !== '0');
  return { entries: [...found].toSorted(([left], [right]) => (left < right ? -1 : 1)), version, nowMs };
}

/** What an entry is expected to be: as it is, as it was before some writes, or absent. */
async function expectation(port: Port, of: MapSpace, name: string, kind: number): Promise<MapExpectation | undefined> {
  if (kind === 2) return undefined;
  const found = await port.get(of, name);
  return found && { value: found.value, version: (found.version ?? 0) - kind };
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  advance,
  fc.tuple(space, key).map((args) => call('get', ...args)),
  fc.tuple(space, key).map((args) => call('getEntry', ...args)),
  fc.tuple(space, key).map((args) => call('has', ...args)),
  fc.tuple(space, keys).map((args) => call('getMany', ...args)),
  fc.tuple(space, owner, entries, ttlMs).map((args) => call('set', ...args)),
  fc.tuple(space, owner, key, value, ttlMs).map((args) => call('add', ...args)),
  fc.tuple(space, owner, keys).map((args) => call('delete', ...args)),
  fc.tuple(space, key, ttlMs).map((args) => call('touch', ...args)),
  fc
    .tuple(space, fc.nat(2), owner, key, fc.option(value, { nil: undefined }), ttlMs)
    .map(([of, kind, by, name, bytes, ttl]) => ({
      label: `replace ${JSON.stringify([of, kind, by, name, bytes, ttl])}`,
      run: async ({ map: port }: Ports) =>
        port.replace(of, by, name, await expectation(port, of, name, kind), bytes, ttl),
    })),
  space.map((of) => call('count', of)),
  fc.tuple(space, owner).map((args) => call('clear', ...args)),
  space.map((of) => ({ label: `page ${JSON.stringify(of)}`, run: (ports: Ports) => allEntries(ports, of) })),
);

describe('map model', () => checkModel(steps));
describe('commands of map', () => checkCommands(mapOperations));
describe('keys of map', () => checkKeys('<ns>:map:', [':fence:<lock>']));
