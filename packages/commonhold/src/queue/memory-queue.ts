import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { MemoryFences } from '../backend/memory/memory-fences.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { QueuePausedError } from '../errors.js';
import type { Keys } from '../keys.js';
import { MemoryJobNotices } from './memory-job-notices.js';
import { appendedLog, bytesOf, JobPageBuilder, type JobRecord, storedJob } from './memory-job-record.js';
import { searchSome } from './memory-job-search.js';
import { QueueState } from './memory-queue-state.js';
import { MemoryQueueStep, type QueueSurroundings, rememberMs } from './memory-queue-step.js';
import { MemoryQueueTurn } from './memory-queue-turn.js';
import { drainSome, isEnded, removeEnded, resend, sweepSome } from './memory-queue-upkeep.js';
import {
  type AddedJob,
  heldTopic,
  type JobBatch,
  type JobFilter,
  type JobPage,
  type JobStatus,
  mostUnanswered,
  type DrainStep,
  type NewJob,
  type PauseOf,
  type QueueAddress,
  type QueueCounts,
  type QueueDay,
  type QueuePort,
  type QueueTotals,
  type QueueTurn,
  type QueueTurnReply,
  type QueueWorker,
  type StoredJob,
  type Sweep,
  type SweepStep,
} from './queue-port.js';
import { queueNames } from './queue-names.js';
import { queueOperations as operations } from './queue-operations.js';

const stateBytes = 2_000;
const mostLookedAt = 2_000;
const dayMs = 86_400_000;

/** The same state machine as the scripts of the Redis twin, over the store's tables. */
export class MemoryQueue implements QueuePort {
  readonly #keys: Keys;
  readonly #queues: ExpiringTable<QueueState>;
  readonly #surroundings: QueueSurroundings;
  readonly #fences: MemoryFences;
  readonly #bases = new WeakMap<QueueAddress, string>();

  constructor(store: MemoryStore, keys: Keys) {
    this.#keys = keys;
    this.#queues = store.table('queue');
    this.#fences = new MemoryFences(store);
    this.#surroundings = { store, notices: new MemoryJobNotices(store, keys), wakePrefix: keys.wakePrefix };
  }

  async add(queue: QueueAddress, { adder, number, jobs, guard }: JobBatch): Promise<readonly AddedJob[]> {
    const step = this.#step(queue);
    this.#fences.pass(operations.add, this.#base(queue), guard);
    const { batches } = step.state;
    const remembered = batches.get(adder) ?? new Map<number, { number: number; added: readonly AddedJob[] }>();
    const before = remembered.get(number % mostUnanswered);
    if (before !== undefined && before.number >= number) return before.number === number ? before.added : [];
    if (step.state.closed) throw new QueuePausedError(queue.name);
    batches.set(adder, remembered, 0, step.now + rememberMs);
    const created = createAll(step, jobs);
    for (const [index, record] of created.entries()) if (record) place(step, record, (jobs[index] as NewJob).delayMs);
    const added = created.map<AddedJob>((record, index) => ({
      id: record?.id ?? (jobs[index]?.id as string),
      duplicate: record === undefined,
      accepted: 'stored',
    }));
    step.state.total += added.filter((job) => !job.duplicate).length;
    remembered.set(number % mostUnanswered, { number, added });
    return added;
  }

  async turn(queue: QueueAddress, worker: QueueWorker, turn: QueueTurn): Promise<QueueTurnReply> {
    return new MemoryQueueTurn(this.#step(queue), worker, turn).run();
  }

  async renew(queue: QueueAddress, worker: QueueWorker, held: readonly string[]): Promise<string[]> {
    const { state, now } = this.#step(queue);
    const own = state.held.get(worker.id);
    if (own !== undefined) state.leases.set(worker.id, now + worker.leaseMs);
    const ids = new Set(Array.from(own ?? [], (record) => record.id));
    return held.filter((id) => !ids.has(id));
  }

  async leave(queue: QueueAddress, worker: QueueWorker): Promise<void> {
    this.#step(queue).state.idle.delete(worker.id);
  }

  async progress(
    queue: QueueAddress,
    worker: QueueWorker,
    id: string,
    attempt: number,
    progress: number,
  ): Promise<boolean> {
    const step = this.#step(queue);
    const record = step.state.records.get(id);
    if (record?.status !== 'processing' || record.attempts !== attempt || record.owner !== worker.id) return false;
    if (progress > (record.progress ?? -1)) {
      record.progress = progress;
      step.announce('progress', record, 'processing', progress);
    }
    return true;
  }

  async log(
    queue: QueueAddress,
    worker: QueueWorker,
    id: string,
    attempt: number,
    lines: readonly string[],
  ): Promise<boolean> {
    const { state, now } = this.#step(queue);
    const record = state.records.get(id);
    if (record?.status !== 'processing' || record.attempts !== attempt || record.owner !== worker.id) return false;
    const log = appendedLog(record.log, lines, now);
    state.records.set(id, record, bytesOf({ ...record, log }));
    record.log = log;
    return true;
  }

  async get(queue: QueueAddress, id: string): Promise<StoredJob | undefined> {
    const record = this.#step(queue).state.records.get(id);
    return record && storedJob(record);
  }

  async list(
    queue: QueueAddress,
    topic: string,
    status: JobStatus | undefined,
    cursor: string | undefined,
    limit: number,
  ): Promise<JobPage> {
    const { topics, records } = this.#step(queue).state;
    const before = cursor === undefined ? Infinity : Number(cursor);
    const ids = [...(topics.get(topic)?.ids ?? [])].filter(([, sequence]) => sequence < before).toReversed();
    const page = new JobPageBuilder(limit);
    for (const [index, [id, sequence]] of ids.entries()) {
      const record = records.get(id);
      // An id may have been used again since, for a job of another topic.
      if (record?.topic === topic && (status ?? record.status) === record.status) page.add(record);
      if (page.full || index + 1 >= mostLookedAt) return { jobs: page.jobs, cursor: String(sequence) };
    }
    return { jobs: page.jobs, cursor: undefined };
  }

  async search(queue: QueueAddress, filter: JobFilter, cursor: string | undefined, limit: number): Promise<JobPage> {
    return searchSome(this.#step(queue), filter, cursor, limit);
  }

  async deadLetters(queue: QueueAddress, cursor: string | undefined, limit: number): Promise<JobPage> {
    const step = this.#step(queue);
    const { dead, records } = step.state;
    const ids = step.failed();
    const [, failedAtMs, last = ''] = /^(\d+)-(.+)$/.exec(cursor ?? '') ?? [];
    const place = ids.indexOf(last);
    const start = failedAtMs === undefined || place >= 0 ? place + 1 : dead.countFrom(Number(failedAtMs) + 1);
    const page = new JobPageBuilder(limit);
    for (const [index, id] of ids.slice(start).entries()) {
      const record = records.get(id);
      if (record?.status === 'failed') page.add(record);
      if (page.full || index + 1 >= mostLookedAt) return { jobs: page.jobs, cursor: `${dead.score(id)}-${id}` };
    }
    return { jobs: page.jobs, cursor: undefined };
  }

  async cancel(queue: QueueAddress, id: string): Promise<JobStatus | undefined> {
    const step = this.#step(queue);
    const record = step.state.records.get(id);
    const status = record?.status;
    if (record === undefined || !isOpen(record)) return status;
    if (status === 'pending') {
      this.#withdraw(step, record);
    } else if (status === 'delayed') step.state.delayed.delete(id);
    else if (record.owner !== undefined) {
      step.state.held.get(record.owner)?.delete(record);
      if (step.state.held.get(record.owner)?.size === 0) step.state.held.delete(record.owner);
      step.tell(record.owner, heldTopic(queue));
      if (record.group !== undefined && step.state.groups.leave(record.group)) step.wake(1);
    }
    step.end(record, 'cancelled');
    step.announce('cancelled', record, 'cancelled', 0);
    return status;
  }

  async retry(queue: QueueAddress, id: string): Promise<boolean> {
    const step = this.#step(queue);
    const record = step.state.records.get(id);
    if (record?.status !== 'failed') return false;
    resend(step, record);
    step.wake(1);
    return true;
  }

  async counts(queue: QueueAddress): Promise<QueueCounts> {
    const step = this.#step(queue);
    const { leases, held, delayed } = step.state;
    const processing = leases.members().reduce((sum, worker) => sum + (held.get(worker)?.size ?? 0), 0);
    return { pending: step.state.waiting, delayed: delayed.size, processing, failed: step.failed().length };
  }

  async totals(queue: QueueAddress): Promise<QueueTotals> {
    const { total, completed, failed } = this.#step(queue).state;
    return { total, completed, failed };
  }

  async days(queue: QueueAddress, count: number): Promise<QueueDay[]> {
    const { state, now } = this.#step(queue);
    const today = Math.floor(now / dayMs);
    return Array.from({ length: count }, (_, index) => {
      const number = today - count + 1 + index;
      const { completed = 0, failed = 0, processingMs = 0 } = state.days.get(number) ?? {};
      const averageMs = completed === 0 ? 0 : Math.floor(processingMs / completed + 0.5);
      return { day: new Date(number * dayMs).toISOString().slice(0, 10), completed, failed, averageMs };
    });
  }

  async remove(queue: QueueAddress, id: string): Promise<boolean> {
    return removeEnded(this.#step(queue), id);
  }

  async sweep(queue: QueueAddress, sweep: Sweep, cursor: string | undefined, most: number): Promise<SweepStep> {
    return sweepSome(this.#step(queue), sweep, cursor, most);
  }

  async drain(queue: QueueAddress, most: number): Promise<DrainStep> {
    return drainSome(this.#step(queue), most);
  }

  async obliterate(queue: QueueAddress): Promise<undefined> {
    const { state } = this.#step(queue);
    for (const table of state.tables) for (const key of [...table.keys()]) table.delete(key);
    const base = queueNames(queue, this.#keys).base;
    const empty = new QueueState(this.#surroundings.store, base);
    // An id is not drawn twice.
    empty.sequence = state.sequence;
    this.#queues.set(base, empty, stateBytes);
  }

  async awaitEnd(queue: QueueAddress, id: string, owner: string): Promise<StoredJob | 'waits' | undefined> {
    const { records, awaited } = this.#step(queue).state;
    const record = records.get(id);
    if (record === undefined) return undefined;
    if (isEnded(record.status)) return storedJob(record);
    awaited.set(id, (awaited.get(id) ?? new Set()).add(owner));
    return 'waits';
  }

  async now(): Promise<number> {
    return this.#surroundings.store.now();
  }

  async pause(queue: QueueAddress, what: PauseOf, paused: boolean): Promise<void> {
    const step = this.#step(queue);
    if (what === 'adding') return void (step.state.closed = paused);
    step.state.paused = paused;
    if (!paused) step.wake(step.state.waiting);
  }

  // What waits in a line stays there, and is passed over.
  #withdraw(step: MemoryQueueStep, record: JobRecord): void {
    const { suspects, groups } = step.state;
    // Others of its group stood back for one that had to run alone.
    if (suspects.remove(record)) return step.wake(record.group === undefined ? 0 : 1);
    if (record.group === undefined) step.line(record.priority).add(-1);
    else groups.withdraw(record.priority);
  }

  #step(queue: QueueAddress): MemoryQueueStep {
    const base = this.#base(queue);
    let state = this.#queues.get(base);
    if (state === undefined) {
      state = new QueueState(this.#surroundings.store, base);
      this.#queues.set(base, state, stateBytes);
    }
    return new MemoryQueueStep(queue, state, this.#surroundings);
  }

  #base(queue: QueueAddress): string {
    let base = this.#bases.get(queue);
    if (base === undefined) this.#bases.set(queue, (base = queueNames(queue, this.#keys).base));
    return base;
  }
}

function isOpen({ status }: JobRecord): boolean {
  return status === 'pending' || status === 'delayed' || status === 'processing';
}

// All or none: nothing refers to a record before the last one found room. Undefined for a job that was there.
function createAll(step: MemoryQueueStep, jobs: readonly NewJob[]): (JobRecord | undefined)[] {
  const { state, now } = step;
  const created: (JobRecord | undefined)[] = [];
  try {
    for (const [index, job] of jobs.entries()) {
      const known = job.id !== undefined && state.records.has(job.id);
      const id = job.id ?? `${job.priority}-${now}-${state.sequence++}-${index % 16}`;
      created.push(known ? undefined : step.create(id, job));
    }
    return created;
  } catch (error) {
    for (const record of created) if (record) state.records.delete(record.id);
    throw error;
  }
}

function place(step: MemoryQueueStep, record: JobRecord, delayMs: number): void {
  const { delayed, groups } = step.state;
  if (record.topic !== undefined) addToTopic(step, record.topic, record.id);
  if (delayMs === 0) step.enqueue(record);
  else delayed.set(record.id, step.now + delayMs);
  // A waiting worker is told when a delayed job falls due before all others: nobody has looked for it yet.
  // While a group runs as many jobs as it may, nobody is woken for one more.
  const ready = delayMs > 0 ? delayed.lowest() === record.id : !groups.isParked(record.group ?? '');
  if (ready) step.wake(1);
}

// Two of the oldest jobs of a topic are forgotten with each new one, if their records are gone.
function addToTopic(step: MemoryQueueStep, topic: string, id: string): void {
  const ids = step.joinTopic(topic)?.ids;
  if (ids === undefined) return;
  ids.delete(id);
  ids.set(id, ++step.state.sequence);
  const oldest = ids.keys();
  for (const old of [oldest.next().value, oldest.next().value]) {
    if (old !== undefined && !step.state.records.has(old)) ids.delete(old);
  }
}
