import { type MemoryStore, storedBytes } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import { isCommonholdError } from '../errors.js';
import { encodePart } from '../keys.js';
import { bytesOf, createRecord, type JobRecord } from './memory-job-record.js';
import type { MemoryJobNotices } from './memory-job-notices.js';
import type { DayCount, PriorityLine, QueueState, TopicIndex } from './memory-queue-state.js';
import { doneTopic, type JobStatus, type NewJob, type QueueAddress, queueTopic } from './queue-port.js';

/** What a step works with besides the state. */
export interface QueueSurroundings {
  readonly store: MemoryStore;
  readonly notices: MemoryJobNotices;
  readonly wakePrefix: string;
}

const dayMs = 86_400_000;
const daysKept = 400;
/** How long a record of something that is asked for again at once is kept. */
export const rememberMs: number = 600_000;

/** One atomic step on one queue, at one moment: what the steps have in common. */
export class MemoryQueueStep {
  readonly queue: QueueAddress;
  readonly state: QueueState;
  readonly now: number;
  readonly #surroundings: QueueSurroundings;

  constructor(queue: QueueAddress, state: QueueState, surroundings: QueueSurroundings) {
    this.queue = queue;
    this.state = state;
    this.#surroundings = surroundings;
    this.now = surroundings.store.now();
  }

  line(priority: number): PriorityLine {
    return this.state.lines[priority] as PriorityLine;
  }

  /** Names up to `count` waiting workers, those heard of last first, and wakes their processes. */
  wake(count: number): void {
    for (let left = count; left > 0; left--) {
      const worker = this.state.idle.popHighest();
      if (worker === undefined) return;
      this.tell(worker, queueTopic(this.queue));
    }
  }

  /** Wakes a worker's process. A worker is its process's owner, a colon, and a name of its own. */
  tell(worker: string, topic: string): void {
    this.#publish(worker.slice(0, worker.indexOf(':')), topic);
  }

  /** Wakes who waits for a job that ended or is gone. */
  tellAwaiting(id: string): void {
    const owners = this.state.awaited.get(id);
    if (owners === undefined) return;
    this.state.awaited.delete(id);
    for (const owner of owners) this.#publish(encodePart(owner), doneTopic(this.queue, id));
  }

  announce(kind: string, record: JobRecord, status: JobStatus, progress: number): void {
    this.#surroundings.notices.announce(this.queue, kind, record.id, record.topic, status, progress);
  }

  /** Makes a record, and the index of its topic, that nothing refers to yet. @throws OverloadedError */
  create(id: string, job: NewJob): JobRecord {
    const { records, topics } = this.state;
    const { topic } = job;
    if (topic !== undefined && !topics.has(topic))
      topics.set(topic, { open: 0, ids: new Map() }, 0, this.#indexEndMs());
    const record = createRecord(id, job, this.now);
    records.set(id, record, bytesOf(record));
    return record;
  }

  enqueue(record: JobRecord): void {
    if (record.group !== undefined) return this.state.groups.push(record.group, record, 'fresh');
    const line = this.line(record.priority);
    line.fresh.push(record);
    line.add(1);
  }

  enqueueAgain(record: JobRecord, first: boolean): void {
    record.status = 'pending';
    record.sinceMs = this.now;
    if (record.group !== undefined) return this.state.groups.push(record.group, record, first ? 'first' : 'again');
    const line = this.line(record.priority);
    if (first) line.again.pushFirst(record);
    else line.again.push(record);
    line.add(1);
  }

  /** The index of a topic stays while one of its jobs has not ended, and then for as long as a record may. */
  joinTopic(topic: string): TopicIndex | undefined {
    const index = this.state.topics.get(topic);
    if (index !== undefined && index.open++ === 0) this.state.topics.expire(topic, Infinity);
    return index;
  }

  /** Says that a job of the topic ended, or is gone. */
  leaveTopic(topic: string): void {
    const index = this.state.topics.get(topic);
    if (index === undefined || --index.open > 0) return;
    this.state.topics.expire(topic, this.#indexEndMs());
  }

  complete(record: JobRecord, result: Stored): void {
    const day = this.#today();
    this.state.completed++;
    day.completed++;
    day.processingMs += Math.max(0, this.now - (record.startedAtMs ?? this.now));
    if (storedBytes(result) > 0) record.result = result;
    this.end(record, 'completed');
    this.announce('completed', record, 'completed', 1);
  }

  fail(record: JobRecord, error: string): void {
    this.state.failed++;
    this.#today().failed++;
    record.error = error;
    this.#listFailed(record.id);
    this.end(record, 'failed');
    this.announce('failed', record, 'failed', 0);
  }

  /** Ends a job. Its record then stays for as long as the queue keeps such records. */
  end(record: JobRecord, status: JobStatus): void {
    const keepMs = status === 'failed' ? this.queue.keepFailedMs : this.queue.keepCompletedMs;
    if (record.topic !== undefined) this.leaveTopic(record.topic);
    this.tellAwaiting(record.id);
    record.status = status;
    record.completedAtMs = this.now;
    record.sinceMs = this.now;
    record.owner = undefined;
    if (keepMs === 0) this.state.records.delete(record.id);
    else this.#keep(record, this.now + keepMs);
  }

  /** Ids of failed jobs whose records are kept, the newest first. */
  failed(): string[] {
    const { dead } = this.state;
    return dead
      .members()
      .slice(dead.size - dead.countFrom(this.now - this.queue.keepFailedMs))
      .toReversed();
  }

  // A job that ended must not fail to end because the store is full. Its record makes room instead.
  #keep(record: JobRecord, expiresAtMs: number): void {
    const { records } = this.state;
    if (record.result === undefined) return void records.expire(record.id, expiresAtMs);
    try {
      records.set(record.id, record, bytesOf(record), expiresAtMs);
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
      records.delete(record.id);
    }
  }

  #listFailed(id: string): void {
    const { dead } = this.state;
    dead.set(id, this.now);
    for (const old of dead.upTo(this.now - this.queue.keepFailedMs - 1)) dead.delete(old);
  }

  #publish(owner: string, topic: string): void {
    const { store, wakePrefix } = this.#surroundings;
    store.bus.publish(wakePrefix + owner, topic);
  }

  #indexEndMs(): number {
    return this.now + Math.max(this.queue.keepCompletedMs, this.queue.keepFailedMs);
  }

  #today(): DayCount {
    const { days } = this.state;
    const today = Math.floor(this.now / dayMs);
    let count = days.get(today);
    if (count === undefined) {
      days.set(today, (count = { completed: 0, failed: 0, processingMs: 0 }));
      for (const day of days.keys()) if (day < today - daysKept) days.delete(day);
    }
    return count;
  }
}
