import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type {
  AddedJob,
  ClaimedJob,
  JobBatch,
  JobEnd,
  JobFilter,
  NewJob,
  QueueAddress,
  StoredJob,
  Sweep,
} from '../../src/queue/queue-port.js';
import { queueOperations } from '../../src/queue/queue-operations.js';
import { anyJob } from '../../src/testing/queue-runs.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

/** Jobs of one engine by the order they were added: the engines draw different ids. */
class Book {
  readonly ids: string[] = [];
  readonly claims: { readonly worker: string; readonly job: ClaimedJob }[] = [];
  #delays = 0;
  #batches = 0;
  readonly #turns = new Map<string, number>();

  /** The batch that was added last, which may be sent again. */
  lastBatch: JobBatch = { adder: 'a:1', number: 0, jobs: [] };

  nextBatch(jobs: readonly NewJob[]): JobBatch {
    this.lastBatch = { adder: 'a:1', number: ++this.#batches, jobs };
    return this.lastBatch;
  }

  /** Turns of a worker follow each other, but for one that comes too late. */
  nextTurn(worker: string, late: boolean): number {
    const last = this.#turns.get(worker) ?? 0;
    if (!late) this.#turns.set(worker, last + 1);
    return late ? last : last + 1;
  }

  /** Jobs of one moment fall due one after the other on both engines. */
  nextDelayMs(): number {
    return 1_001 + this.#delays++;
  }

  name(id: string): string {
    if (!this.ids.includes(id)) this.ids.push(id);
    return `#${this.ids.indexOf(id)}`;
  }
}

const books = new WeakMap<Ports, Book>();

function bookOf(ports: Ports): Book {
  const book = books.get(ports) ?? new Book();
  books.set(ports, book);
  return book;
}

const keeping: QueueAddress = {
  name: 'q*',
  documented: undefined,
  notices: false,
  keepCompletedMs: 4_500,
  keepFailedMs: 6_500,
  limits: undefined,
};

// Leases of one moment end one after the other.
const leaseMs: Record<string, number> = { w1: 3_300, w2: 3_500, w3: 3_700 };
const worker = (name: string): { id: string; name: string; leaseMs: number } => {
  return { id: `${name}:1`, name, leaseMs: leaseMs[name] ?? 3_500 };
};
const workers = fc.constantFrom('w1', 'w2', 'w3');
const some = fc.nat(30);

const newJob: fc.Arbitrary<NewJob> = fc
  .record({
    id: fc.option(fc.constantFrom('own-1', 'own-2', 'own-3'), { nil: undefined, freq: 2 }),
    priority: fc.constantFrom(0, 5, 5, 10),
    group: fc.constantFrom(undefined, undefined, 'g:1', 'g', 'h*'),
    delayMs: fc.constantFrom(0, 0, 0, 1_500),
    topic: fc.constantFrom(undefined, undefined, 'a:b', 'c'),
    data: fc.constantFrom('1', '"two"', Buffer.from([1, 0, 255])),
    options: fc.constantFrom('', '{"attempts":2}'),
    fields: fc.constantFrom([], ['file_id', 'f']),
    searchedBy: fc.constant(undefined),
  })
  .map((job) =>
    job.id === undefined && (job.delayMs > 0 || job.topic || job.fields.length > 0) ? { ...job, id: 'own-4' } : job,
  );

const searchedBy = fc.constantFrom([], ['user', '1'], ['user', '2', 'kind', 'x'], ['user', '1', 'kind', 'x']);
const searchedJob: fc.Arbitrary<NewJob> = fc
  .tuple(newJob, searchedBy, fc.nat(40))
  .map(([job, texts, n]) => ({ ...job, id: job.id ?? `drawn-${n}`, searchedBy: texts }));

function claimed(book: Book, job: ClaimedJob): object {
  const { id, createdAtMs: _, ...rest } = job;
  return { id: book.name(id), ...rest };
}

function stored(book: Book, job: StoredJob | undefined): object | undefined {
  if (job === undefined) return undefined;
  const { id, createdAtMs: _c, startedAtMs, completedAtMs, log, ...rest } = job;
  const lines = log?.replace(/^\d+ /gm, '');
  return {
    id: book.name(id),
    lines,
    started: startedAtMs !== undefined,
    over: completedAtMs !== undefined,
    ...sorted(rest),
  };
}

function named(book: Book, added: readonly AddedJob[]): object {
  return added.map(({ id, ...rest }) => ({ id: book.name(id), ...rest }));
}

function sorted(fields: object): object {
  return Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const ended = fc.constantFrom('failed' as const, 'completed' as const, 'cancelled' as const);

async function sweepAll({ queue }: Ports, address: QueueAddress, sweep: Sweep): Promise<number> {
  let changed = 0;
  let cursor: string | undefined;
  do {
    const step = await queue.sweep(address, sweep, cursor, 2);
    changed += step.changed;
    ({ cursor } = step);
  } while (cursor !== undefined);
  return changed;
}

const kinds = fc.constantFrom('complete', 'complete', 'fail', 'retry', 'return');

const turnOn = (address: QueueAddress): fc.Arbitrary<ModelStep> =>
  fc
    .record({
      name: workers,
      free: fc.constantFrom(0, 1, 2, 5, 40),
      idle: fc.boolean(),
      ends: fc.array(fc.record({ claim: some, kind: kinds, now: fc.boolean() }), { maxLength: 3 }),
      lost: fc.constantFrom(false, false, true),
      late: fc.constantFrom(...Array.from({ length: 12 }, () => false), true),
    })
    .map(({ name, free, idle, ends, lost, late }): ModelStep => ({
      label: `turn ${name} free ${free} idle ${idle} lost ${lost} late ${late} ends ${ends.map((e) => `${e.kind} ${e.claim}`).join()}`,
      run: async (ports: Ports) => {
        const book = bookOf(ports);
        const own = book.claims.filter((claim) => claim.worker === name);
        const chosen = ends.flatMap(({ claim, kind, now }): JobEnd[] => {
          const { job } = own[own.length - 1 - (claim % Math.max(1, own.length))] ?? {};
          const payload = kind === 'complete' && now ? '' : '"end"';
          const delayMs = kind === 'return' && now ? 0 : book.nextDelayMs();
          return job ? [{ id: job.id, attempt: job.attempt, kind, payload, delayMs }] : [];
        });
        const known = lost ? own.slice(-2).map(({ job }) => job.id) : undefined;
        const reply = await ports.queue.turn(address, worker(name), {
          number: book.nextTurn(name, late),
          ends: chosen,
          free,
          idle,
          known,
        });
        for (const job of reply.jobs) book.claims.push({ worker: name, job });
        const { lookAgainMs, jobs, nowMs: _, ...rest } = reply;
        const seconds = lookAgainMs === undefined ? 'never' : Math.ceil(lookAgainMs / 1_000);
        return { ...rest, seconds, jobs: jobs.map((job) => claimed(book, job)) };
      },
    }));

/** Whatever can be said of jobs, alone and together; most of it is not said. */
const filter: fc.Arbitrary<JobFilter> = fc
  .record({
    status: fc.constantFrom(undefined, 'pending', 'delayed', 'processing', 'completed', 'failed', 'cancelled'),
    topic: fc.constantFrom(undefined, undefined, undefined, 'c'),
    group: fc.constantFrom(undefined, undefined, undefined, 'g'),
    workerName: fc.constantFrom(undefined, undefined, undefined, 'w1'),
    fields: fc.constantFrom([], [], ['user', '1'], ['kind', 'x'], ['kind', 'x', 'user', '1']),
  })
  .map((chosen) => ({ ...anyJob, ...chosen }));

const searchOn = (address: QueueAddress): fc.Arbitrary<ModelStep> =>
  fc.oneof(
    filter.map((wanted) => ({
      label: `search ${JSON.stringify(wanted)}`,
      run: async (ports: Ports) => {
        const book = bookOf(ports);
        const { jobs, cursor } = await ports.queue.search(address, wanted, undefined, 200);
        return [
          jobs.map(({ id, status }) => `${book.name(id)} ${status}`).toSorted((a, b) => a.localeCompare(b)),
          cursor,
        ];
      },
    })),
    fc.tuple(filter, ended, fc.boolean()).map(([wanted, status, retry]) => ({
      label: `sweep of ${JSON.stringify({ ...wanted, status })}`,
      run: (ports: Ports) => {
        const change = retry && status === 'failed' ? 'retry' : 'remove';
        return sweepAll(ports, address, { change, filter: { ...wanted, status } });
      },
    })),
  );

const stepOn = (address: QueueAddress, searched: boolean = false): fc.Arbitrary<ModelStep> =>
  fc.oneof(
    ...(searched ? [searchOn(address)] : []),
    fc.constantFrom(1_000, 1_000, 3_000).map((advanceMs) => ({ label: `advance ${advanceMs}`, advanceMs })),
    { weight: 3, arbitrary: turnOn(address) },
    {
      weight: 2,
      arbitrary: fc.array(searched ? searchedJob : newJob, { maxLength: 20 }).map((jobs) => ({
        label: `add ${jobs.map((job) => `${job.id ?? 'compact'}@${job.priority}+${job.delayMs}`).join()}`,
        run: async (ports: Ports) => {
          const book = bookOf(ports);
          const timed = jobs.map((job) => ({ ...job, delayMs: job.delayMs === 0 ? 0 : book.nextDelayMs() }));
          return named(book, await ports.queue.add(address, book.nextBatch(timed)));
        },
      })),
    },
    fc.constant({
      label: 'add the last batch again',
      run: async (ports: Ports) => named(bookOf(ports), await ports.queue.add(address, bookOf(ports).lastBatch)),
    }),
    fc.tuple(workers, some).map(([name, n]) => ({
      label: `renew ${name} ${n}`,
      run: async (ports: Ports) => {
        const book = bookOf(ports);
        const held = book.claims.slice(-(n % 5)).map(({ job }) => job.id);
        return (await ports.queue.renew(address, worker(name), held)).map((id) => book.name(id));
      },
    })),
    fc.tuple(workers, some, fc.constantFrom(0.25, 1)).map(([name, n, progress]) => ({
      label: `progress ${name} ${n}`,
      run: async (ports: Ports) => {
        const { claims } = bookOf(ports);
        const job = claims[claims.length - 1 - (n % Math.max(1, claims.length))]?.job;
        return job && ports.queue.progress(address, worker(name), job.id, job.attempt, progress);
      },
    })),
    fc
      .tuple(workers, some, fc.constantFrom(1, 3, 60), fc.constantFrom('a line', 'é'.repeat(90)))
      .map(([name, n, count, text]) => ({
        label: `log ${name} ${n} ${count} of ${text.length}`,
        run: async (ports: Ports) => {
          const { claims } = bookOf(ports);
          const job = claims[claims.length - 1 - (n % Math.max(1, claims.length))]?.job;
          const lines = Array.from({ length: count }, (_, index) => `${text} ${index}`);
          return job && ports.queue.log(address, worker(name), job.id, job.attempt, lines);
        },
      })),
    ...(['get', 'cancel', 'retry', 'remove'] as const).map((method) =>
      fc.tuple(some, fc.boolean()).map(([n, old]) => ({
        label: `${method} ${n} ${old ? 'from the first' : 'from the last'}`,
        run: async (ports: Ports) => {
          const book = bookOf(ports);
          const id = book.ids.at(old ? n : -1 - n) ?? 'absent';
          const answer = await ports.queue[method](address, id);
          return typeof answer === 'object' ? stored(book, answer) : answer;
        },
      })),
    ),
    fc
      .tuple(fc.constantFrom('a:b', 'c'), fc.constantFrom(undefined, 'pending', 'completed'), fc.constantFrom(1, 3))
      .map(([topic, status, limit]) => ({
        label: `list ${topic} ${status} ${limit}`,
        run: async (ports: Ports) => {
          const book = bookOf(ports);
          const page = await ports.queue.list(address, topic, status, undefined, limit);
          return { jobs: page.jobs.map((job) => stored(book, job)), more: page.cursor !== undefined };
        },
      })),
    fc.constant({
      label: 'dead letters, counts, totals, days',
      run: async ({ queue }: Ports) => {
        const { jobs } = await queue.deadLetters(address, undefined, 200);
        const dead = jobs.map((job) => job.error ?? '').toSorted((a, b) => a.localeCompare(b));
        return [dead, await queue.counts(address), await queue.totals(address), await queue.days(address, 2)];
      },
    }),
    fc.tuple(fc.constantFrom('taking' as const, 'adding' as const), fc.boolean()).map(([what, paused]) => ({
      label: `pause ${what} ${paused}`,
      run: (ports: Ports) => ports.queue.pause(address, what, paused),
    })),
    fc.tuple(ended, fc.constantFrom(0, 1_500)).map(([status, olderThanMs]) => ({
      label: `sweep of topic a:b ${status} ${olderThanMs}`,
      run: (ports: Ports) =>
        sweepAll(ports, address, {
          change: status === 'failed' ? 'retry' : 'remove',
          filter: { ...anyJob, status, topic: 'a:b', olderThanMs },
        }),
    })),
    fc.tuple(ended, fc.constantFrom(undefined, 'c'), fc.constantFrom(0, 1_500)).map(([status, topic, olderThanMs]) => ({
      label: `removal of ${topic} ${status} ${olderThanMs}`,
      run: async ({ queue }: Ports) => {
        const failed = topic === undefined ? 'failed' : status;
        const filter = { ...anyJob, status: failed, topic, olderThanMs };
        return (await queue.sweep(address, { change: 'remove', filter }, undefined, 500)).changed;
      },
    })),
    some.map((n) => ({
      label: `await ${n}`,
      run: async (ports: Ports) => {
        const book = bookOf(ports);
        const found = await ports.queue.awaitEnd(address, book.ids.at(-1 - n) ?? 'absent', 'o');
        return typeof found === 'object' ? stored(book, found) : found;
      },
    })),
    fc.nat(20).map((n) => ({
      label: n === 0 ? 'obliterate' : 'drain',
      run: async (ports: Ports) => {
        if (n > 0) return ports.queue.drain(address, 1_000);
        let cursor = await ports.queue.obliterate(address, undefined);
        while (cursor !== undefined) cursor = await ports.queue.obliterate(address, cursor);
        return 'gone';
      },
    })),
    fc.constant({ label: 'now', run: async (ports: Ports) => typeof (await ports.queue.now(address)) }),
    workers.map((name) => ({
      label: `leave ${name}`,
      run: (ports: Ports) => ports.queue.leave(address, worker(name)),
    })),
  );

describe('queue model', () => checkModel(stepOn(keeping)));
// Ids can be used again at once.
describe('model of a queue that keeps nothing and bounds its groups', () =>
  checkModel(
    stepOn({
      ...keeping,
      keepCompletedMs: 0,
      limits: { running: 0, starts: 0, windowMs: 0, runningInGroup: 2 },
    }),
  ));
describe('model of a queue with limits that is searched', () =>
  checkModel(stepOn({ ...keeping, limits: { running: 4, starts: 6, windowMs: 2_500, runningInGroup: 1 } }, true)));
describe('commands of queue', () => checkCommands(queueOperations));
describe('keys of queue', () =>
  checkKeys('<ns>:queue:', [':notices', ':notices:user:<topic>', ':suspects', ':drain', ':fence:<lock>']));
