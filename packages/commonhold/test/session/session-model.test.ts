import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { SessionGlance, SessionRecord, SessionSpace } from '../../src/session/session-port.js';
import { sessionOperations } from '../../src/session/session-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

type Port = Ports['session'];

// Time moves in whole seconds and lifetimes end between them, so that the milliseconds a real server takes decide nothing.
const plain: SessionSpace = {
  name: 'plain',
  prefix: undefined,
  idleMs: 4_500,
  absoluteMs: 10_700,
  rememberMs: 0,
  tombstoneMs: 3_300,
  maxPerUser: 0,
  whenFull: 'evict',
  graceMs: 2_500,
  staleMs: 30_000,
};
const spaces = fc.constantFrom<SessionSpace>(
  plain,
  { ...plain, name: 're*', rememberMs: 5_000 },
  { ...plain, name: 'few', maxPerUser: 2 },
  { ...plain, name: 'strict', maxPerUser: 2, whenFull: 'refuse', graceMs: 0 },
);
// One user to a bucket, as the front has it, and somebody without a user in the same one.
const bucket = 'b0';

// Ids are always fresh, as the hash of a new token is; a step names one by how many were issued since.
const issued = new WeakMap<Port, number>();
const back = fc.integer({ min: 0, max: 3 });

function fresh(port: Port): { bucket: string; id: string } {
  const count = (issued.get(port) ?? 0) + 1;
  issued.set(port, count);
  return { bucket, id: `i${count}` };
}

function earlier(port: Port, by: number): { bucket: string; id: string } {
  return { bucket, id: `i${(issued.get(port) ?? 0) - by}` };
}

const user = fc.constantFrom(undefined, 'ada', 'b:*%-\n');
const device = fc.constantFrom(undefined, '{"name":"phone"}');
const holder = fc.record({ user, device });
const rotation = fc.oneof(
  fc.record({ user, device, renewal: fc.constant(false) }),
  fc.constant({ user: undefined, device: undefined, renewal: true }),
);
const someone = fc.constantFrom('ada', 'b:*%-\n');
const name = fc.constantFrom('a', 'v', 'd.b');
const value = fc.oneof(
  { weight: 15, arbitrary: fc.constantFrom('1', '"two"', Buffer.from([1, 0, 255])) },
  { weight: 1, arbitrary: fc.constant('x'.repeat(40_000)) },
);
const fields = fc.uniqueArray(fc.tuple(name, value), { maxLength: 2, selector: ([field]) => field });
const changes = fc.uniqueArray(fc.tuple(name, fc.option(value, { nil: undefined })), {
  maxLength: 2,
  selector: ([field]) => field,
});

// The clocks of the two engines show different dates, and a hash has no order.
function comparable(answer: unknown): unknown {
  if (Array.isArray(answer))
    return answer.map(comparable).toSorted((one, other) => (String(one) < String(other) ? -1 : 1));
  if (typeof answer !== 'object' || answer === null) return answer;
  if ('reused' in answer) return Object.values(answer).join(' ');
  if (!('fields' in answer)) return (answer as SessionGlance).id;
  const record = answer as SessionRecord;
  const idleFor = Math.round((record.lastActivityAtMs - record.createdAtMs) / 1_000);
  const lasts = Math.round((record.endsAtMs - record.createdAtMs) / 100);
  const held = record.fields.map(([field, stored]) => `${field}=${Buffer.from(stored).toString('hex').slice(0, 20)}`);
  const provenFor =
    record.authenticatedAtMs && Math.round((record.lastActivityAtMs - record.authenticatedAtMs) / 1_000);
  return [record.id, record.user, record.device, provenFor, idleFor, lasts, record.version, ...held.toSorted()].join(
    ' ',
  );
}

function described(given: readonly unknown[]): string {
  return given.map((part) => (JSON.stringify(part) ?? 'undefined').slice(0, 30)).join(' ');
}

function step<Arguments extends unknown[]>(
  label: string,
  args: fc.Arbitrary<Arguments>,
  run: (port: Port, ...args: Arguments) => Promise<unknown>,
): fc.Arbitrary<ModelStep> {
  return args.map((given) => ({
    label: `${label} ${described(given)}`,
    run: async (ports) => comparable(await run(ports.session, ...given)),
  }));
}

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  fc.constantFrom(1_000, 2_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
  step('create', fc.tuple(spaces, holder, fields), (port, space, u, f) => port.create(space, fresh(port), u, f)),
  step('read', fc.tuple(spaces, back), (port, space, i) => port.read(space, earlier(port, i))),
  step('look', fc.tuple(spaces, back), (port, space, i) => port.look(space, earlier(port, i))),
  step('touch', fc.tuple(spaces, back), (port, space, i) => port.touch(space, earlier(port, i))),
  step('set', fc.tuple(spaces, back, changes), (port, space, i, f) => port.set(space, earlier(port, i), f)),
  step('replace', fc.tuple(spaces, back, fc.integer({ min: 1, max: 4 }), changes), (port, space, i, v, f) =>
    port.replace(space, earlier(port, i), v, f),
  ),
  step('rotate', fc.tuple(spaces, back, rotation, changes), (port, space, i, how, f) => {
    const from = earlier(port, i);
    return port.rotate(space, from, fresh(port).id, how, f);
  }),
  step('take', fc.tuple(spaces, back, changes), (port, space, i, f) => port.take(space, earlier(port, i), f)),
  step('revoke', fc.tuple(spaces, back, user), (port, space, i, u) => port.revoke(space, earlier(port, i), u)),
  step('revokeAll', fc.tuple(spaces, someone, fc.option(back, { nil: undefined })), (port, space, u, i) =>
    port.revokeAll(space, bucket, u, i === undefined ? undefined : earlier(port, i).id),
  ),
  step('list', fc.tuple(spaces, someone), (port, space, u) => port.list(space, bucket, u)),
);

describe('session model', () => checkModel(steps));
describe('commands of session', () => checkCommands(sessionOperations));
describe('keys of session', () => checkKeys('<ns>:session:'));
