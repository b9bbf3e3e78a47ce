import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { MapExpectation, MapSpace } from '../../src/map/map-port.js';
import { plainMapOperations } from '../../src/map/map-operations.js';
import type { EngineKind } from '../../src/testing/engine.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

/** Where each engine's entries stand: behind its namespace, within which time is moved. */
const spaces = new WeakMap<Ports, MapSpace>();

function placed(kind: EngineKind): EngineKind {
  return {
    name: kind.name,
    start: async () => {
      const engine = await kind.start();
      const state = await engine.open();
      const { namespace } = state;
      await state.close();
      const ports = async (): Promise<Ports> => {
        const made = await engine.ports();
        spaces.set(made, { name: 'm', prefix: `${namespace}:{m}`, timed: false, changes: false });
        return made;
      };
      return { ...engine, ports };
    },
  };
}

function spaceOf(ports: Ports): MapSpace {
  return spaces.get(ports) as MapSpace;
}

const key = fc.constantFrom('x', 'x:y', '*', 'é');
const value = fc.constantFrom('1', '"two"', '{"a": 1}');
// Time moves in whole seconds and lifetimes end between them: native expiry goes on in real time.
const ttlMs = fc.constantFrom(undefined, 2_500, 5_500);
const keys = fc.array(key, { minLength: 1, maxLength: 3 });

type Port = Ports['plainMap'];
type Arguments<Method extends keyof Port> = Parameters<Port[Method]> extends [MapSpace, ...infer Rest] ? Rest : never;

/** A step that calls one method with the given arguments. */
function call<Method extends Exclude<keyof Port, 'getEntry' | 'replace'>>(
  method: Method,
  ...args: Arguments<Method>
): ModelStep {
  const run = (ports: Ports): Promise<unknown> =>
    (ports.plainMap[method] as (...all: unknown[]) => Promise<unknown>).call(ports.plainMap, spaceOf(ports), ...args);
  return { label: `${method} ${JSON.stringify(args)}`, run };
}

function expectation(bytes: string | undefined): MapExpectation | undefined {
  return bytes === undefined ? undefined : { value: bytes, version: undefined };
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  key.map((name) => call('get', name)),
  key.map((name) => call('has', name)),
  keys.map((names) => call('getMany', names)),
  fc.tuple(key, value, ttlMs).map(([name, bytes, ttl]) => call('set', 'o#1', [[name, bytes]], ttl)),
  fc.tuple(key, value, ttlMs).map(([name, bytes, ttl]) => call('add', 'o#1', name, bytes, ttl)),
  keys.map((names) => call('delete', 'o#1', names)),
  fc.tuple(key, ttlMs).map((args) => call('touch', ...args)),
  // Native expiry says when to the millisecond of real time, which has gone on.
  key.map((name) => ({
    label: `getEntry ${name}`,
    run: async (ports: Ports) => {
      const entry = await ports.plainMap.getEntry(spaceOf(ports), name);
      const { expiresAtMs } = entry ?? {};
      return { ...entry, expiresAtMs: expiresAtMs === undefined ? undefined : Math.ceil(expiresAtMs / 1_000) };
    },
  })),
  fc
    .tuple(key, fc.option(value, { nil: undefined }), fc.option(value, { nil: undefined }), ttlMs)
    .map(([name, expected, bytes, ttl]) => ({
      label: `replace ${JSON.stringify([name, expected, bytes, ttl])}`,
      run: (ports: Ports) => ports.plainMap.replace(spaceOf(ports), 'o#1', name, expectation(expected), bytes, ttl),
    })),
);

// Longer than elsewhere: learning the namespace takes each run a connection of its own.
describe('documented map model', () => checkModel(steps, { around: placed, stepsPerRun: 200 }));

describe('commands of a documented map', () => checkCommands(plainMapOperations));
describe('keys of map', () => checkKeys('<prefix>'));
