import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore, storedBytes } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import type { Keys } from '../keys.js';
import { MemoryJobNotices } from './memory-job-notices.js';
import { QueueState } from './memory-queue-state.js';
import {
  type AddedJob,
  type ClaimedJob,
  heldTopic,
  type JobEnd,
  type JobPage,
  type JobStatus,
  type NewJob,
  type QueueAddress,
  type QueueDay,
  type QueuePort,
  queueTopic,
  type QueueTotals,
  type QueueTurn,
  type QueueTurnReply,
  type QueueWorker,
  type StoredJob,
} from './queue-port.js';
import { queueNames } from './queue-names.js';

/** A job's record. Unlike on Redis every job has one from the start. */
interface JobRecord {
  status: JobStatus;
  readonly priority: number;
  readonly createdAtMs: number;
  attempts: number;
  readonly data: Stored;
  readonly options: string;
  readonly topic: string | undefined;
  workerName?: string | undefined;
  startedAtMs?: number | undefined;
  completedAtMs?: number | undefined;
  progress?: number | undefined;
  result?: Stored | undefined;
  error?: string | undefined;
  owner?: string | undefined;
  deaths: number;
}

const recordBytes = 400;
const deathsUntilAlone = 2;
const deathsUntilFailed = 3;
const promotedAtOnce = 128;
const mostLookedAt = 2_000;
const dayMs = 86_400_000;

interface Place {
  readonly queue: QueueAddress;
  readonly state: QueueState;
  readonly record: string;
  readonly now: number;
}

/** The same state machine as the scripts of the Redis twin, over the store's tables. */
export class MemoryQueue implements QueuePort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #queues: ExpiringTable<QueueState>;
  readonly #records: ExpiringTable<JobRecord>;
  readonly #notices: MemoryJobNotices;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#queues = store.table('queue');
    this.#records = store.table('queue-job');
    this.#notices = new MemoryJobNotices(store, keys);
  }

  async add(queue: QueueAddress, jobs: readonly NewJob[]): Promise<AddedJob[]> {
    const place = this.#place(queue);
    let ready = 0;
    const added = jobs.map((job, index) => {
      if (job.id !== undefined && this.#records.has(`${place.record}:${job.id}`)) return { id: job.id, duplicate: true };
      const id = job.id ?? `${job.priority}-${place.now}-${place.state.sequence++}-${index}`;
      this.#insert(place, id, job);
      if (job.delayMs === 0) ready++;
      return { id, duplicate: false };
    });
    place.state.total += added.filter((job) => !job.duplicate).length;
    this.#wake(place, ready);
    return added;
  }

  async turn(queue: QueueAddress, worker: QueueWorker, turn: QueueTurn): Promise<QueueTurnReply> {
    const place = this.#place(queue);
    const { state, now } = place;
    state.idle.delete(worker.id);
    const ends = turn.ends.map((end) => this.#finish(place, worker.id, end));
    const suspectsBefore = state.suspects.length;
    for (const dead of state.leases.upTo(now - 1)) {
      if (dead !== worker.id) this.#takeOver(place, dead);
    }
    const newSuspects = state.suspects.length - suspectsBefore;
    this.#promote(place);
    const jobs = turn.known === undefined ? [] : this.#unknownHeld(place, worker.id, turn.known);
    const alone = this.#claim(place, worker, turn, jobs);
    this.#wake(place, newSuspects - (alone ? 1 : 0));
    if ((state.held.get(worker.id)?.size ?? 0) > 0) state.leases.set(worker.id, now + worker.leaseMs);
    else state.leases.delete(worker.id);
    if (jobs.length < turn.free) state.idle.set(worker.id, now + worker.leaseMs);
    return {
      ends,
      jobs,
      alone,
      waitingForIdle: state.suspects.length,
      paused: state.paused,
      lookAgainMs: lookAgainMs(state, worker.id, now),
    };
  }

  async renew(queue: QueueAddress, worker: QueueWorker, held: readonly string[]): Promise<string[]> {
    const { state, now } = this.#place(queue);
    const own = state.held.get(worker.id) ?? new Set();
    if (own.size > 0) state.leases.set(worker.id, now + worker.leaseMs);
    return held.filter((id) => !own.has(id));
  }

  async leave(queue: QueueAddress, worker: QueueWorker): Promise<void> {
    const { state } = this.#place(queue);
    state.idle.delete(worker.id);
    state.leases.delete(worker.id);
  }

  async progress(
    queue: QueueAddress,
    worker: QueueWorker,
    id: string,
    attempt: number,
    progress: number,
  ): Promise<boolean> {
    const place = this.#place(queue);
    const job = this.#own(place, worker.id, id, attempt);
    if (job === undefined) return false;
    job.progress = progress;
    this.#notices.announce(queue, 'progress', id, job.topic, 'processing', progress);
    return true;
  }

  async get(queue: QueueAddress, id: string): Promise<StoredJob | undefined> {
    return this.#read(this.#place(queue), id);
  }

  async list(
    queue: QueueAddress,
    topic: string,
    status: JobStatus | undefined,
    cursor: string | undefined,
    limit: number,
  ): Promise<JobPage> {
    const place = this.#place(queue);
    const before = cursor === undefined ? Infinity : Number(cursor);
    const ids = [...(place.state.topics.get(topic) ?? [])].filter(([, sequence]) => sequence < before).reverse();
    const jobs: StoredJob[] = [];
    for (const [index, [id, sequence]] of ids.entries()) {
      const job = this.#read(place, id);
      if (job !== undefined && (status === undefined || job.status === status)) jobs.push(job);
      if (jobs.length >= limit || index + 1 >= mostLookedAt) return { jobs, cursor: String(sequence) };
    }
    return { jobs, cursor: undefined };
  }

  async deadLetters(queue: QueueAddress, cursor: string | undefined, limit: number): Promise<JobPage> {
    const place = this.#place(queue);
    const start = Number(cursor ?? 0);
    const ids = this.#failed(place).reverse().slice(start, start + limit);
    const jobs = ids.map((id) => this.#read(place, id)).filter((job) => job !== undefined);
    return { jobs, cursor: ids.length === limit ? String(start + limit) : undefined };
  }

  async cancel(queue: QueueAddress, id: string): Promise<JobStatus | undefined> {
    const place = this.#place(queue);
    const job = this.#records.get(`${place.record}:${id}`);
    if (job === undefined) return undefined;
    const { status } = job;
    if (status === 'pending') {
      if (!place.state.suspects.remove(id)) this.#addToWaiting(place, job.priority, -1);
    } else if (status === 'delayed') place.state.delayed.delete(id);
    else if (status === 'processing' && job.owner !== undefined) {
      this.#release(place, job.owner, id);
      this.#store.bus.publish(this.#wakeChannel(job.owner), heldTopic(queue));
    } else return status;
    this.#end(place, id, job, 'cancelled', {});
    this.#notices.announce(queue, 'cancelled', id, job.topic, 'cancelled', 0);
    return status;
  }

  async retry(queue: QueueAddress, id: string): Promise<boolean> {
    const place = this.#place(queue);
    const key = `${place.record}:${id}`;
    const job = this.#records.get(key);
    if (job?.status !== 'failed') return false;
    place.state.dead.delete(id);
    const { priority, createdAtMs, data, options, topic } = job;
    const again: JobRecord = { status: 'pending', priority, createdAtMs, attempts: 0, data, options, topic, deaths: 0 };
    this.#records.set(key, again, recordBytes + storedBytes(data));
    this.#enqueueAgain(place, id, priority, false);
    this.#wake(place, 1);
    return true;
  }

  async counts(queue: QueueAddress): Promise<Record<'pending' | 'delayed' | 'processing' | 'failed', number>> {
    const place = this.#place(queue);
    const { state } = place;
    const pending = state.lines.reduce((sum, line) => sum + line.count, state.suspects.length);
    const processing = state.leases.members().reduce((sum, owner) => sum + (state.held.get(owner)?.size ?? 0), 0);
    return { pending, delayed: state.delayed.size, processing, failed: this.#failed(place).length };
  }

  async totals(queue: QueueAddress): Promise<QueueTotals> {
    const { total, completed, failed } = this.#place(queue).state;
    return { total, completed, failed };
  }

  async days(queue: QueueAddress, days: readonly string[]): Promise<QueueDay[]> {
    const { state } = this.#place(queue);
    return days.map((name) => {
      const { completed = 0, failed = 0, processingMs = 0 } = state.days.get(name) ?? {};
      return { completed, failed, averageMs: completed === 0 ? 0 : Math.floor(processingMs / completed + 0.5) };
    });
  }

  async pause(queue: QueueAddress, paused: boolean): Promise<void> {
    const place = this.#place(queue);
    place.state.paused = paused;
    if (!paused) this.#wake(place, place.state.idle.size);
  }

  #place(queue: QueueAddress): Place {
    const { base, record } = queueNames(queue, this.#keys);
    let state = this.#queues.get(base);
    if (state === undefined) this.#queues.set(base, (state = new QueueState()), recordBytes);
    return { queue, state, record, now: this.#store.now() };
  }

  #insert(place: Place, id: string, job: NewJob): void {
    const { state, now } = place;
    const record: JobRecord = {
      status: job.delayMs > 0 ? 'delayed' : 'pending',
      priority: job.priority,
      createdAtMs: now,
      attempts: 0,
      data: job.data,
      options: job.options,
      topic: job.topic,
      deaths: 0,
    };
    this.#records.set(`${place.record}:${id}`, record, recordBytes + storedBytes(job.data));
    if (job.topic !== undefined) this.#index(place, job.topic, id);
    if (job.delayMs > 0) return state.delayed.set(id, now + job.delayMs);
    const line = state.lines[job.priority];
    line?.fresh.push(id);
    this.#addToWaiting(place, job.priority, 1);
  }

  // Two of the oldest jobs of a topic are forgotten with each new one, if their records are gone.
  #index(place: Place, topic: string, id: string): void {
    const ids = place.state.topics.get(topic) ?? new Map<string, number>();
    place.state.topics.set(topic, ids);
    ids.delete(id);
    ids.set(id, ++place.state.sequence);
    const oldest = ids.keys();
    for (const old of [oldest.next().value, oldest.next().value]) {
      if (old !== undefined && !this.#records.has(`${place.record}:${old}`)) ids.delete(old);
    }
  }

  #finish(place: Place, owner: string, end: JobEnd): 'done' | 'superseded' {
    const job = this.#own(place, owner, end.id, end.attempt);
    if (job === undefined) return 'superseded';
    this.#release(place, owner, end.id);
    if (end.kind === 'complete') this.#complete(place, end, job);
    else if (end.kind === 'fail') this.#fail(place, end.id, job, String(end.payload));
    else if (end.kind === 'retry') {
      Object.assign(job, { status: 'delayed', owner: undefined, progress: undefined, error: String(end.payload) });
      place.state.delayed.set(end.id, place.now + end.delayMs);
    } else {
      const started = { startedAtMs: undefined, workerName: undefined };
      Object.assign(job, { status: 'pending', owner: undefined, progress: undefined, ...started });
      job.attempts--;
      this.#enqueueAgain(place, end.id, job.priority, true);
    }
    return 'done';
  }

  #complete(place: Place, end: JobEnd, job: JobRecord): void {
    const day = this.#day(place);
    place.state.completed++;
    day.completed++;
    day.processingMs += place.now - (job.startedAtMs ?? place.now);
    this.#end(place, end.id, job, 'completed', { result: end.payload });
    this.#notices.announce(place.queue, 'completed', end.id, job.topic, 'completed', 1);
  }

  #fail(place: Place, id: string, job: JobRecord, error: string): void {
    place.state.failed++;
    this.#day(place).failed++;
    this.#end(place, id, job, 'failed', { error });
    this.#notices.announce(place.queue, 'failed', id, job.topic, 'failed', 0);
  }

  #end(place: Place, id: string, job: JobRecord, status: JobStatus, last: Partial<JobRecord>): void {
    const { queue, state, now } = place;
    const key = `${place.record}:${id}`;
    const keepMs = status === 'failed' ? queue.keepFailedMs : queue.keepCompletedMs;
    if (status === 'failed') {
      state.dead.set(id, now);
      this.#forgetOldFailures(place);
    }
    if (keepMs === 0) return void this.#records.delete(key);
    Object.assign(job, last, { status, completedAtMs: now, owner: undefined });
    this.#records.expire(key, now + keepMs);
  }

  #takeOver(place: Place, dead: string): void {
    for (const id of [...(place.state.held.get(dead) ?? [])].reverse()) {
      const job = this.#records.get(`${place.record}:${id}`);
      if (job?.status !== 'processing' || job.owner !== dead) continue;
      job.deaths++;
      if (job.deaths >= deathsUntilFailed) {
        this.#fail(place, id, job, `Its worker died ${job.deaths} times while running it`);
        continue;
      }
      Object.assign(job, { status: 'pending', owner: undefined, progress: undefined });
      if (job.deaths >= deathsUntilAlone) place.state.suspects.pushFirst(id);
      else this.#enqueueAgain(place, id, job.priority, true);
    }
    place.state.held.delete(dead);
    place.state.leases.delete(dead);
  }

  #promote(place: Place): void {
    const { delayed } = place.state;
    for (const id of delayed.upTo(place.now).slice(0, promotedAtOnce)) {
      delayed.delete(id);
      const job = this.#records.get(`${place.record}:${id}`);
      if (job === undefined) continue;
      job.status = 'pending';
      this.#enqueueAgain(place, id, job.priority, false);
    }
  }

  #unknownHeld(place: Place, owner: string, known: readonly string[]): ClaimedJob[] {
    const ids = [...(place.state.held.get(owner) ?? [])].filter((id) => !known.includes(id));
    return ids.flatMap((id) => {
      const job = this.#records.get(`${place.record}:${id}`);
      return job === undefined ? [] : [claimed(id, job)];
    });
  }

  #claim(place: Place, worker: QueueWorker, turn: QueueTurn, jobs: ClaimedJob[]): boolean {
    const { state } = place;
    if (state.paused || turn.free <= jobs.length) return false;
    if (turn.idle && jobs.length === 0) {
      for (let id = state.suspects.shift(); id !== undefined; id = state.suspects.shift()) {
        if (this.#start(place, worker, id, jobs)) return true;
      }
    }
    for (let priority = 10; priority >= 0 && jobs.length < turn.free; priority--) {
      this.#claimLine(place, worker, priority, turn.free, jobs);
    }
    if (state.lines.some((line) => line.count > 0)) this.#wake(place, 1);
    return false;
  }

  #claimLine(place: Place, worker: QueueWorker, priority: number, free: number, jobs: ClaimedJob[]): void {
    const line = place.state.lines[priority];
    if (line === undefined || line.count === 0) return;
    let taken = 0;
    while (jobs.length < free) {
      const id = line.again.shift() ?? line.fresh.shift();
      if (id === undefined) break;
      if (this.#start(place, worker, id, jobs)) taken++;
    }
    if (taken > 0) this.#addToWaiting(place, priority, -taken);
  }

  #start(place: Place, worker: QueueWorker, id: string, jobs: ClaimedJob[]): boolean {
    const job = this.#records.get(`${place.record}:${id}`);
    if (job?.status !== 'pending') return false;
    job.attempts++;
    Object.assign(job, { status: 'processing', owner: worker.id, workerName: worker.name, startedAtMs: place.now });
    const held = place.state.held.get(worker.id) ?? new Set();
    place.state.held.set(worker.id, held.add(id));
    jobs.push(claimed(id, job));
    return true;
  }

  #own(place: Place, owner: string, id: string, attempt: number): JobRecord | undefined {
    const job = this.#records.get(`${place.record}:${id}`);
    const own = job?.status === 'processing' && job.attempts === attempt && job.owner === owner;
    return own ? job : undefined;
  }

  #release(place: Place, owner: string, id: string): void {
    const held = place.state.held.get(owner);
    held?.delete(id);
    if (held?.size === 0) place.state.held.delete(owner);
  }

  #addToWaiting(place: Place, priority: number, count: number): void {
    const line = place.state.lines[priority];
    if (line === undefined) return;
    line.count += count;
    if (line.count <= 0) line.clear();
  }

  #enqueueAgain(place: Place, id: string, priority: number, first: boolean): void {
    const line = place.state.lines[priority];
    if (first) line?.again.pushFirst(id);
    else line?.again.push(id);
    this.#addToWaiting(place, priority, 1);
  }

  #wake(place: Place, count: number): void {
    const { idle } = place.state;
    for (const owner of count > 0 ? idle.members().slice(-count).reverse() : []) {
      idle.delete(owner);
      this.#store.bus.publish(this.#wakeChannel(owner), queueTopic(place.queue));
    }
  }

  // A worker is its process's owner, a colon, and a name of its own.
  #wakeChannel(worker: string): string {
    return this.#keys.wakePrefix + worker.slice(0, worker.indexOf(':'));
  }

  #failed(place: Place): string[] {
    const { dead } = place.state;
    const since = place.now - place.queue.keepFailedMs;
    return dead.members().filter((id) => (dead.score(id) ?? 0) >= since);
  }

  #forgetOldFailures(place: Place): void {
    const { dead } = place.state;
    for (const id of dead.upTo(place.now - place.queue.keepFailedMs)) dead.delete(id);
  }

  #day(place: Place): { completed: number; failed: number; processingMs: number } {
    const { days } = place.state;
    const name = new Date(place.now).toISOString().slice(0, 10);
    let day = days.get(name);
    if (day === undefined) days.set(name, (day = { completed: 0, failed: 0, processingMs: 0 }));
    const oldest = new Date(place.now - 400 * dayMs).toISOString().slice(0, 10);
    for (const past of days.keys()) if (past < oldest) days.delete(past);
    return day;
  }

  #read(place: Place, id: string): StoredJob | undefined {
    const job = this.#records.get(`${place.record}:${id}`);
    if (job === undefined) return undefined;
    const { owner: _owner, deaths: _deaths, ...rest } = job;
    const present = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const copies = { data: handOut(job.data), ...(job.result === undefined ? {} : { result: handOut(job.result) }) };
    return { id, ...present, ...copies } as StoredJob;
  }
}

function claimed(id: string, job: JobRecord): ClaimedJob {
  const { attempts: attempt, priority, createdAtMs, options, topic, data } = job;
  return { id, attempt, priority, createdAtMs, options, topic, data: handOut(data) };
}

function lookAgainMs(state: QueueState, owner: string, now: number): number | undefined {
  const nextDue = state.delayed.lowest();
  const other = state.leases.lowest(owner);
  const times = [
    ...(nextDue === undefined ? [] : [state.delayed.score(nextDue) ?? now]),
    ...(other === undefined ? [] : [state.leases.score(other) ?? now]),
  ];
  return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - now + 1);
}
