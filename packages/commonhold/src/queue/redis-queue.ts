import { bytesReply, type CommandArgument } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import type { NamedOperation } from '../operation.js';
import { queueOperations as operations } from './queue-operations.js';
import {
  type AddedJob,
  type ClaimedJob,
  heldTopic,
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
import { queueNames, refuseScattered } from './queue-names.js';
import { readRecord } from './stored-record.js';

const script = (file: string): Script => loadScript(import.meta.url, file);
const scripts = {
  add: script('add.lua'),
  turn: script('turn.lua'),
  renew: script('renew.lua'),
  progress: script('progress.lua'),
  get: script('get.lua'),
  list: script('list.lua'),
  deadLetters: script('dead-letters.lua'),
  cancel: script('cancel.lua'),
  retry: script('retry.lua'),
  counts: script('counts.lua'),
  pause: script('pause.lua'),
};

interface QueueKeys {
  readonly base: string;
  readonly record: string;
  readonly stats: string;
  /** What every script of the queue is given first. */
  readonly shared: readonly CommandArgument[];
}

/**
 * Waiting jobs lie in one stream a priority, up to sixteen in an entry, which costs about 90 bytes a job; a job gets a
 * hash of its own when it is touched, or from the start where it must be found by other means (DECISIONS K7).
 */
export class RedisQueue implements QueuePort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;
  readonly #known = new WeakMap<QueueAddress, QueueKeys>();

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async add(queue: QueueAddress, jobs: readonly NewJob[]): Promise<AddedJob[]> {
    const args = jobs.flatMap((job) => [
      ...[job.id ?? '', String(job.priority), String(job.delayMs), job.topic ?? '', job.options, job.data],
      ...[String(job.fields.length), ...job.fields],
    ]);
    const reply = (await this.#run(operations.add, scripts.add, queue, args)) as Buffer[];
    return reply.map(String).map((id) => (id.startsWith('=') ? { id: id.slice(1), duplicate: true } : { id, duplicate: false }));
  }

  async turn(queue: QueueAddress, worker: QueueWorker, turn: QueueTurn): Promise<QueueTurnReply> {
    const args = [
      ...[worker.id, worker.name, String(worker.leaseMs), String(turn.free), turn.idle ? '1' : '0'],
      ...[String(turn.known?.length ?? -1), ...(turn.known ?? [])],
      ...turn.ends.flatMap((end) => [end.id, String(end.attempt), end.kind, end.payload, String(end.delayMs)]),
    ];
    const reply = await this.#run(operations.turn, scripts.turn, queue, args);
    const [ends, jobs, alone, waitingForIdle, paused, lookAgainMs] = reply as TurnAnswer;
    return {
      ends: ends.map((end) => (end.toString() === 'done' ? 'done' : 'superseded')),
      jobs: jobs.map(claimedJob),
      alone: alone === 1,
      waitingForIdle,
      paused: paused === 1,
      lookAgainMs: lookAgainMs < 0 ? undefined : lookAgainMs,
    };
  }

  async renew(queue: QueueAddress, worker: QueueWorker, held: readonly string[]): Promise<string[]> {
    const args = [worker.id, String(worker.leaseMs), ...held];
    return ((await this.#run(operations.renew, scripts.renew, queue, args)) as Buffer[]).map(String);
  }

  async leave(queue: QueueAddress, worker: QueueWorker): Promise<void> {
    const { base } = this.#keysOf(queue);
        await Promise.all([
      this.#wire.command(operations.leave, ['ZREM', `${base}:idle`, worker.id]),
      this.#wire.command(operations.leave, ['ZREM', `${base}:leases`, worker.id]),
    ]);
  }

  async progress(
    queue: QueueAddress,
    worker: QueueWorker,
    id: string,
    attempt: number,
    progress: number,
  ): Promise<boolean> {
    const args = [worker.id, id, String(attempt), String(progress)];
    return (await this.#run(operations.progress, scripts.progress, queue, args)) === 1;
  }

  async get(queue: QueueAddress, id: string): Promise<StoredJob | undefined> {
    return readRecord(id, (await this.#run(operations.get, scripts.get, queue, [id])) as Buffer[]);
  }

  async list(
    queue: QueueAddress,
    topic: string,
    status: JobStatus | undefined,
    cursor: string | undefined,
    limit: number,
  ): Promise<JobPage> {
    const args = [topic, status ?? '', cursor ?? '', String(limit)];
    return page(await this.#run(operations.list, scripts.list, queue, args));
  }

  async deadLetters(queue: QueueAddress, cursor: string | undefined, limit: number): Promise<JobPage> {
    return page(await this.#run(operations.deadLetters, scripts.deadLetters, queue, [cursor ?? '', String(limit)]));
  }

  async cancel(queue: QueueAddress, id: string): Promise<JobStatus | undefined> {
    const found = await this.#run(operations.cancel, scripts.cancel, queue, [id, heldTopic(queue)]);
    return found === null ? undefined : (String(found) as JobStatus);
  }

  async retry(queue: QueueAddress, id: string): Promise<boolean> {
    return (await this.#run(operations.retry, scripts.retry, queue, [id])) === 1;
  }

  async counts(queue: QueueAddress): Promise<Record<'pending' | 'delayed' | 'processing' | 'failed', number>> {
    const reply = await this.#run(operations.counts, scripts.counts, queue, []);
    const [pending, delayed, processing, failed] = reply as [number, number, number, number];
    return { pending, delayed, processing, failed };
  }

  async totals(queue: QueueAddress): Promise<QueueTotals> {
    const { stats } = this.#keysOf(queue);
    const keys = ['total', 'completed', 'failed'].map((name) => `${stats}:tasks:${name}`);
    const reply = (await this.#wire.command(operations.totals, ['MGET', ...keys])) as (string | null)[];
    const [total = 0, completed = 0, failed = 0] = reply.map(Number);
    return { total, completed, failed };
  }

  async days(queue: QueueAddress, days: readonly string[]): Promise<QueueDay[]> {
    const { stats } = this.#keysOf(queue);
    const fields = ['tasks_completed', 'tasks_failed', 'avg_processing_time'];
    const replies = await Promise.all(
      days.map((day) => this.#wire.command(operations.days, ['HMGET', `${stats}:daily:${day}`, ...fields])),
    );
    return (replies as (string | null)[][]).map((reply) => {
      const [completed = 0, failed = 0, averageMs = 0] = reply.map(Number);
      return { completed, failed, averageMs };
    });
  }

  async pause(queue: QueueAddress, paused: boolean): Promise<void> {
    await this.#run(operations.pause, scripts.pause, queue, [paused ? '1' : '0']);
  }

  #run(
    operation: NamedOperation,
    step: Script,
    queue: QueueAddress,
    args: readonly CommandArgument[],
  ): Promise<unknown> {
    const { base, shared } = this.#keysOf(queue);
    return this.#wire.run(operation, step, [base], [...shared, ...args], bytesReply);
  }

  #keysOf(queue: QueueAddress): QueueKeys {
    const known = this.#known.get(queue);
    if (known !== undefined) return known;
    const made = this.#makeKeys(queue);
    this.#known.set(queue, made);
    return made;
  }

  #makeKeys(queue: QueueAddress): QueueKeys {
    const names = queueNames(queue, this.#keys);
    if (this.#wire.clustered) refuseScattered(names);
    const { base, record, stats, notices } = names;
    const format = queue.notices ? (queue.documented ? 'json' : 'framed') : '';
    const kept = [String(queue.keepCompletedMs), String(queue.keepFailedMs)];
    const shared = [record, stats, notices, format, this.#keys.wakePrefix, queueTopic(queue), ...kept];
    return { base, record, stats, shared };
  }
}

type ClaimedFields = [Buffer, Buffer | number, Buffer, Buffer, Buffer, Buffer, Buffer];
type TurnAnswer = [Buffer[], ClaimedFields[], number, number, number, number];

function claimedJob([id, attempt, priority, createdAtMs, options, topic, data]: ClaimedFields): ClaimedJob {
  return {
    id: id.toString(),
    attempt: Number(attempt),
    priority: Number(priority),
    createdAtMs: Number(createdAtMs),
    options: options.toString(),
    topic: topic.length === 0 ? undefined : topic.toString(),
    data,
  };
}

function page(reply: unknown): JobPage {
  const [cursor, ...rows] = reply as [Buffer, ...[Buffer, Buffer[]][]];
  const jobs = rows.map(([id, record]) => readRecord(id.toString(), record)).filter((job) => job !== undefined);
  return { jobs, cursor: cursor.length === 0 ? undefined : cursor.toString() };
}
