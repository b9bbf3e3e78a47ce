import type { Ports } from '../../src/backend/backend.js';
import type { MemoryStore } from '../../src/backend/memory/memory-store.js';
import { Journal } from '../../src/backend/resilient/journal.js';
import { JournalPart } from '../../src/backend/resilient/journal-part.js';
import { OwnLock } from '../../src/lock/held-lock.js';
import type { LockAnswer } from '../../src/lock/lock-port.js';
import type { JobRecord } from '../../src/queue/memory-job-record.js';
import type { JobEnd } from '../../src/queue/queue-port.js';
import type { Meter } from '../../src/rate-limit/rate-limit-port.js';
import type { Planting } from '../../src/testing/recorded-store.js';
import { journalProtocol } from './journal-protocol.js';
import { limiterProtocol } from './limiter-protocol.js';
import { lockProtocol } from './lock-protocol.js';
import { mapProtocol } from './map-protocol.js';
import { presenceProtocol } from './presence-protocol.js';
import type { Protocol } from './protocol.js';
import { queueProtocol } from './queue-protocol.js';
import { sessionProtocol } from './session-protocol.js';

/** A change for the worse, and the rule by which the simulator must notice it. */
export interface PlantedBug {
  readonly name: string;
  readonly protocol: Protocol;
  /** Seeds within which it must be noticed. */
  readonly seeds: number;
  readonly rule: string;
  /** Changes the store. */
  readonly plant?: Planting;
  /** Changes what processes run; the returned function undoes it. */
  readonly plantHere?: () => () => void;
}

type Method<Feature extends keyof Ports, Name extends keyof Ports[Feature]> = Ports[Feature][Name];

/** Has a method of the store do what `change` makes of it. */
function changed<Feature extends keyof Ports, Name extends keyof Ports[Feature]>(
  feature: Feature,
  name: Name,
  change: (good: Method<Feature, Name>, store: MemoryStore, ports: Ports) => Method<Feature, Name>,
): Planting {
  return (ports, store) => {
    const port = ports[feature];
    const good = (port[name] as unknown as (...args: unknown[]) => unknown).bind(port);
    Object.defineProperty(port, name, { value: change(good as Method<Feature, Name>, store, ports) });
  };
}

function both(one: Planting, other: Planting): Planting {
  return (ports, store) => {
    one(ports, store);
    other(ports, store);
  };
}

/** Has a method of everything that processes run be another, until the returned function is called. */
function replaced<Target extends object>(target: Target, name: keyof Target, value: unknown): () => () => void {
  return () => {
    const good = Object.getOwnPropertyDescriptor(target, name) as PropertyDescriptor;
    Object.defineProperty(target, name, { ...good, value });
    return () => void Object.defineProperty(target, name, good);
  };
}

const lockBugs: readonly PlantedBug[] = [
  {
    name: 'a guarded write is not checked',
    protocol: lockProtocol,
    seeds: 2_000,
    rule: 'no stale guarded write',
    plant: changed('map', 'set', (good) => (space, owner, entries, ttlMs) => good(space, owner, entries, ttlMs)),
  },
  {
    name: 'the first guarded read does not raise the fence',
    protocol: lockProtocol,
    seeds: 2_000,
    rule: 'no stale guarded write',
    plant: changed('map', 'get', (good) => (space, key) => good(space, key)),
  },
  {
    name: 'a renewal is answered and not done',
    protocol: lockProtocol,
    seeds: 2_000,
    rule: 'one holder relies on the lock',
    plant: changed('lock', 'renew', () => async () => true),
  },
  {
    name: 'the token starts over with each lock',
    protocol: lockProtocol,
    seeds: 2_000,
    rule: 'tokens grow',
    plant: changed('lock', 'acquire', (good) => async (...call) => {
      const answer: LockAnswer = await good(...call);
      return answer.state === 'held' ? { ...answer, token: String(Number(answer.token) % 10_000) } : answer;
    }),
  },
  {
    name: 'whoever releases frees the lock of another',
    protocol: lockProtocol,
    seeds: 2_000,
    rule: 'one holder relies on the lock',
    plant: changed('lock', 'release', (good, store) => (...call) => {
      const released = good(...call);
      const locks = store.table<{ token: number }>('lock');
      for (const key of locks.keys()) locks.set(key, { token: locks.get(key)?.token ?? 0 }, 1, Infinity);
      return released;
    }),
  },
  {
    name: 'a holder relies on the lock until its signal aborts',
    protocol: lockProtocol,
    seeds: 2_000,
    rule: 'one holder relies on the lock',
    plantHere: () => {
      const good = Object.getOwnPropertyDescriptor(OwnLock.prototype, 'reliable') as PropertyDescriptor;
      Object.defineProperty(OwnLock.prototype, 'reliable', {
        ...good,
        get(this: OwnLock) {
          return !this.signal.aborted;
        },
      });
      return () => void Object.defineProperty(OwnLock.prototype, 'reliable', good);
    },
  },
];

const queueBugs: readonly PlantedBug[] = [
  {
    name: 'a job is ended by whoever says so',
    protocol: queueProtocol,
    seeds: 500,
    rule: 'only the present holder ends a job',
    plant: changed('queue', 'turn', (good, store) => (queue, worker, turn) => {
      const jobs = store.table<JobRecord>('queue-job:simulation:queue:{work}');
      const ends = turn.ends.map((end): JobEnd => {
        const job = jobs.get(end.id);
        if (job?.status !== 'processing') return end;
        job.owner = worker.id;
        return { ...end, attempt: job.attempts };
      });
      return good(queue, worker, { ...turn, ends });
    }),
  },
  {
    name: 'a batch that is sent again is added again',
    protocol: queueProtocol,
    seeds: 500,
    rule: 'no job is added twice',
    plant: changed('queue', 'add', (good) => {
      let copies = 0;
      return (queue, batch) => good(queue, { ...batch, adder: `${batch.adder}-${copies++}` });
    }),
  },
  {
    name: 'nobody takes over from the dead',
    protocol: queueProtocol,
    seeds: 500,
    rule: 'everything settles',
    plant: changed(
      'queue',
      'turn',
      (good) => (queue, worker, turn) => good(queue, { ...worker, leaseMs: 3_600_000 }, turn),
    ),
  },
  {
    name: 'a worker is not told what it holds unawares',
    protocol: queueProtocol,
    seeds: 500,
    rule: 'everything settles',
    plant: changed(
      'queue',
      'turn',
      (good) => (queue, worker, turn) => good(queue, worker, { ...turn, known: undefined }),
    ),
  },
  {
    name: 'a job that is given out again has the attempt of before',
    protocol: queueProtocol,
    seeds: 500,
    rule: 'everything settles',
    plant: changed('queue', 'turn', (good) => async (...call) => {
      const reply = await good(...call);
      return { ...reply, jobs: reply.jobs.map((job) => ({ ...job, attempt: 1 })) };
    }),
  },
  {
    name: 'a job is acknowledged and then not stored',
    protocol: queueProtocol,
    seeds: 500,
    rule: 'what was acknowledged is done',
    plant: changed('queue', 'add', (good) => async (queue, batch) => {
      const { adder, number, jobs } = batch;
      if (number % 7 > 0) return good(queue, batch);
      return jobs.map((_, index) => ({ id: `lost-${adder}-${number}-${index}`, duplicate: false, accepted: 'stored' }));
    }),
  },
];

const sessionBugs: readonly PlantedBug[] = [
  {
    name: 'a logout is acknowledged and not done',
    protocol: sessionProtocol,
    seeds: 500,
    rule: 'a revoked session opens nothing',
    plant: changed('session', 'revoke', () => async () => true),
  },
  {
    name: 'whoever logs out everywhere keeps a session',
    protocol: sessionProtocol,
    seeds: 500,
    rule: 'a revoked session opens nothing',
    plant: changed('session', 'revokeAll', (good, _store, ports) => async (space, bucket, user) => {
      const [kept] = await ports.session.list(space, bucket, user);
      return good(space, bucket, user, kept?.id);
    }),
  },
  {
    name: 'fields are written whatever their version is',
    protocol: sessionProtocol,
    seeds: 500,
    rule: 'no update is lost',
    plant: changed('session', 'replace', (good) => async (space, address, version, fields) => {
      const answer = await good(space, address, version, fields);
      return typeof answer === 'object' ? good(space, address, answer.version, fields) : answer;
    }),
  },
];

const limiterBugs: readonly PlantedBug[] = [
  {
    name: 'a hit that is sent again is counted again',
    protocol: limiterProtocol,
    seeds: 500,
    rule: 'an operation has one answer',
    plant: changed(
      'rateLimit',
      'consumeOnce',
      (_good, _store, { rateLimit }) =>
        (limiter, subject, meters, weight) =>
          rateLimit.consume(limiter, subject, meters, weight),
    ),
  },
  {
    name: 'a window begins anew where it should slide',
    protocol: limiterProtocol,
    seeds: 500,
    rule: 'every admission is counted',
    plant: both(
      changed(
        'rateLimit',
        'consume',
        (good) => (limiter, subject, meters, weight) => good(limiter, subject, meters.map(fixed), weight),
      ),
      changed(
        'rateLimit',
        'consumeOnce',
        (good) => (limiter, subject, meters, weight, operation) =>
          good(limiter, subject, meters.map(fixed), weight, operation),
      ),
    ),
  },
];

function fixed({ capacity, spanMs }: Meter): Meter {
  return { kind: 'fixed-window', capacity, unit: 1, refill: capacity, everyMs: spanMs, spanMs };
}

const awayBugs: readonly PlantedBug[] = [
  {
    name: 'what waited is added again where no answer came',
    protocol: journalProtocol,
    seeds: 500,
    rule: 'an operation counts once',
    plant: changed(
      'counter',
      'addOnce',
      (_good, _store, { counter: port }) =>
        (counter, by, ttlMs, keepMs) =>
          port.add(counter, by, ttlMs, keepMs),
    ),
  },
  {
    name: 'what is added without the store is acknowledged and not noted',
    protocol: journalProtocol,
    seeds: 500,
    rule: 'who was acknowledged is in the set',
    plantHere: replaced(JournalPart.prototype, 'enter', (_key: string, _bytes: number, make: () => unknown) => make()),
  },
  {
    name: 'what waited is written over what another wrote',
    protocol: mapProtocol,
    seeds: 500,
    rule: 'what waited replaces nothing newer of another',
    plant: changed('map', 'replace', (good) => async (space, owner, key, expected, ...how) => {
      const answer = await good(space, owner, key, expected, ...how);
      return answer.written ? answer : good(space, owner, key, answer.found, ...how);
    }),
  },
  {
    name: 'a conflict is not told',
    protocol: mapProtocol,
    seeds: 500,
    rule: 'what was acknowledged is written, or told as a conflict',
    plantHere: replaced(Journal.prototype, 'conflict', () => undefined),
  },
];

const hourMs = 3_600_000;

const presenceBugs: readonly PlantedBug[] = [
  {
    name: 'the members of the dead stay',
    protocol: presenceProtocol,
    seeds: 500,
    rule: 'everybody sees who is there',
    plant: both(
      changed('presence', 'change', (good) => (space, seat, _leaseMs, changes) => good(space, seat, hourMs, changes)),
      changed(
        'presence',
        'beat',
        (good) =>
          (space, seat, _leaseMs, ...how) =>
            good(space, seat, hourMs, ...how),
      ),
    ),
  },
];

/** What `npm run test:simulation` plants. */
export const plantedBugs: readonly PlantedBug[] = [
  ...lockBugs,
  ...queueBugs,
  ...sessionBugs,
  ...limiterBugs,
  ...awayBugs,
  ...presenceBugs,
];
