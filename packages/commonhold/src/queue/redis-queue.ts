import { fenced } from '../backend/redis/fence.js';
import { bytesReply, type CommandArgument } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import { QueuePausedError } from '../errors.js';
import type { Guard } from '../guard.js';
import { encodePart, type Keys } from '../keys.js';
import { type NamedOperation, withDurability } from '../operation.js';
import { queueOperations as operations } from './queue-operations.js';
import {
  type AddedJob,
  heldTopic,
  type JobBatch,
  type JobFilter,
  type JobPage,
  type JobStatus,
  mostLogBytes,
  mostLogLines,
  type DrainStep,
  type PauseOf,
  type QueueAddress,
  type QueueCounts,
  type QueueDay,
  type QueuePort,
  queueTopic,
  type QueueTotals,
  type QueueTurn,
  type QueueTurnReply,
  type QueueWorker,
  type StoredJob,
  type Sweep,
  type SweepStep,
} from './queue-port.js';
import { isScattered, ownPatterns, type QueueNames, queueNames, scatteredError } from './queue-names.js';
import { type PageAnswer, readPage, readTurn, type TurnAnswer } from './redis-queue-replies.js';
import { readRecord } from './stored-record.js';

const keysPerScan = 1_000;
const script = (file: string): Script => loadScript(import.meta.url, file);
const scripts = {
  add: script('add.lua'),
  turn: script('turn.lua'),
  renew: script('renew.lua'),
  progress: script('progress.lua'),
  log: script('log.lua'),
  get: script('get.lua'),
  list: script('list.lua'),
  search: script('search.lua'),
  deadLetters: script('dead-letters.lua'),
  cancel: script('cancel.lua'),
  retry: script('retry.lua'),
  counts: script('counts.lua'),
  totals: script('totals.lua'),
  days: script('days.lua'),
  awaitEnd: script('await.lua'),
  now: script('now.lua'),
  pause: script('pause.lua'),
  remove: script('remove.lua'),
  sweep: script('sweep.lua'),
  drain: script('drain.lua'),
};

interface QueuePlace {
  readonly names: QueueNames;
  readonly scattered: boolean;
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
  readonly #places = new WeakMap<QueueAddress, QueuePlace>();

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async add(queue: QueueAddress, { adder, number, jobs, durable, guard }: JobBatch): Promise<AddedJob[]> {
    const args: CommandArgument[] = [adder, String(number)];
    for (const { id, priority, group, delayMs, topic, options, data, fields, searchedBy } of jobs) {
      args.push(
        id ?? '',
        group === undefined ? String(priority) : `${priority}:${group}`,
        String(delayMs),
        topic ?? '',
        options,
        data,
        searchedBy === undefined ? String(fields.length) : `${fields.length}+${searchedBy.length}`,
        ...fields,
        ...(searchedBy ?? []),
      );
    }
    const operation = withDurability(operations.add, durable);
    const reply = (await this.#run(operation, scripts.add, queue, args, guard)) as Buffer | null;
    if (reply === null || reply.length === 0) return [];
    const text = reply.toString();
    if (text === '!') throw new QueuePausedError(queue.name);
    const ids = text.split(' ');
    return ids.map((id) => {
      const duplicate = id.startsWith('=');
      return { id: duplicate ? id.slice(1) : id, duplicate, accepted: 'stored' };
    });
  }

  async turn(queue: QueueAddress, worker: QueueWorker, turn: QueueTurn): Promise<QueueTurnReply> {
    const { number, ends, free, idle, known } = turn;
    const args: CommandArgument[] = [worker.id, worker.name, String(worker.leaseMs), String(number), String(free)];
    args.push(idle ? '1' : '0', String(known?.length ?? -1), limitsOf(queue), ...(known ?? []));
    for (const { id, attempt, kind, payload, delayMs } of ends) {
      args.push(id, String(attempt), kind, payload, String(delayMs));
    }
    return readTurn(ends.length, (await this.#run(operations.turn, scripts.turn, queue, args)) as TurnAnswer | null);
  }

  async renew(queue: QueueAddress, worker: QueueWorker, held: readonly string[]): Promise<string[]> {
    const args = [worker.id, String(worker.leaseMs), ...held];
    return ((await this.#run(operations.renew, scripts.renew, queue, args)) as Buffer[]).map(String);
  }

  async leave(queue: QueueAddress, worker: QueueWorker): Promise<void> {
    const { names } = this.#placeOf(queue);
    await this.#wire.command(operations.leave, ['ZREM', `${names.base}:idle`, worker.id]);
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

  async log(
    queue: QueueAddress,
    worker: QueueWorker,
    id: string,
    attempt: number,
    lines: readonly string[],
  ): Promise<boolean> {
    const args = [worker.id, id, String(attempt), String(mostLogLines), String(mostLogBytes), ...lines];
    return (await this.#run(operations.log, scripts.log, queue, args)) === 1;
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
    return readPage((await this.#run(operations.list, scripts.list, queue, args)) as PageAnswer);
  }

  async search(queue: QueueAddress, filter: JobFilter, cursor: string | undefined, limit: number): Promise<JobPage> {
    const args = [cursor ?? '', String(limit), '', ...filterArguments(filter)];
    return readPage((await this.#run(operations.search, scripts.search, queue, args)) as PageAnswer);
  }

  async deadLetters(queue: QueueAddress, cursor: string | undefined, limit: number): Promise<JobPage> {
    const args = [cursor ?? '', String(limit)];
    return readPage((await this.#run(operations.deadLetters, scripts.deadLetters, queue, args)) as PageAnswer);
  }

  async cancel(queue: QueueAddress, id: string): Promise<JobStatus | undefined> {
    const found = (await this.#run(operations.cancel, scripts.cancel, queue, [id, heldTopic(queue)])) as Buffer | null;
    return found === null ? undefined : (found.toString() as JobStatus);
  }

  async retry(queue: QueueAddress, id: string): Promise<boolean> {
    return (await this.#run(operations.retry, scripts.retry, queue, [id])) === 1;
  }

  async counts(queue: QueueAddress): Promise<QueueCounts> {
    const reply = await this.#run(operations.counts, scripts.counts, queue, []);
    const [pending, delayed, processing, failed] = reply as [number, number, number, number];
    return { pending, delayed, processing, failed };
  }

  async totals(queue: QueueAddress): Promise<QueueTotals> {
    const reply = (await this.#run(operations.totals, scripts.totals, queue, [])) as Buffer[];
    const [total = 0, completed = 0, failed = 0] = reply.map(Number);
    return { total, completed, failed };
  }

  async days(queue: QueueAddress, count: number): Promise<QueueDay[]> {
    const reply = (await this.#run(operations.days, scripts.days, queue, [String(count)])) as Buffer[];
    return Array.from({ length: count }, (_, index) => {
      const [day, completed, failed, averageMs] = reply.slice(4 * index, 4 * index + 4);
      return {
        day: String(day),
        completed: Number(completed),
        failed: Number(failed),
        averageMs: Number(averageMs),
      };
    });
  }

  async awaitEnd(queue: QueueAddress, id: string, owner: string): Promise<StoredJob | 'waits' | undefined> {
    const reply = await this.#run(operations.awaitEnd, scripts.awaitEnd, queue, [id, encodePart(owner)]);
    return reply === null ? undefined : (readRecord(id, reply as Buffer[]) ?? 'waits');
  }

  async now(queue: QueueAddress): Promise<number> {
    return (await this.#run(operations.now, scripts.now, queue, [])) as number;
  }

  async pause(queue: QueueAddress, what: PauseOf, paused: boolean): Promise<void> {
    await this.#run(operations.pause, scripts.pause, queue, [what, paused ? '1' : '0']);
  }

  async remove(queue: QueueAddress, id: string): Promise<boolean> {
    return (await this.#run(operations.remove, scripts.remove, queue, [id])) === 1;
  }

  async sweep(
    queue: QueueAddress,
    { change, filter }: Sweep,
    cursor: string | undefined,
    most: number,
  ): Promise<SweepStep> {
    const args = [cursor ?? '', String(most), change, ...filterArguments(filter)];
    const [changed, next] = (await this.#run(operations.sweep, scripts.sweep, queue, args)) as [number, Buffer];
    return { changed, cursor: next.length === 0 ? undefined : next.toString() };
  }

  async drain(queue: QueueAddress, most: number): Promise<DrainStep> {
    const [removed, more] = (await this.#run(operations.drain, scripts.drain, queue, [String(most)])) as number[];
    return { removed: removed ?? 0, more: more === 1 };
  }

  async obliterate(queue: QueueAddress, cursor: string = '0:0'): Promise<string | undefined> {
    const { names } = this.#placeOf(queue);
    const patterns = ownPatterns(names);
    const [pattern, place = '0'] = cursor.split(':');
    const index = Number(pattern);
    const scan = ['SCAN', place, 'MATCH', patterns[index] as string, 'COUNT', String(keysPerScan)];
    const [next, found] = (await this.#wire.command(operations.obliterate, scan)) as [string, string[]];
    const own = found.filter((key) => !`${key}:`.startsWith(`${names.notices}:`));
    // Emptied and not removed: a new stream would draw the ids of this millisecond again. So would groups anew.
    const streams = own.filter((key) => key.startsWith(`${names.base}:stream:`));
    const others = own.filter((key) => !streams.includes(key) && key !== `${names.base}:drawn`);
    const commands = streams.map((key) => ['XTRIM', key, 'MAXLEN', '0']);
    if (others.length > 0) commands.push(['UNLINK', ...others]);
    await Promise.all(commands.map((command) => this.#wire.command(operations.obliterate, command)));
    if (next !== '0') return `${index}:${next}`;
    return index + 1 < patterns.length ? `${index + 1}:0` : undefined;
  }

  #run(
    operation: NamedOperation,
    step: Script,
    queue: QueueAddress,
    args: readonly CommandArgument[],
    guard?: Guard,
  ): Promise<unknown> {
    const { names, scattered, shared } = this.#placeOf(queue);
    // The wire learns with each connection whether it leads into a cluster.
    if (scattered && this.#wire.clustered) return Promise.reject(scatteredError(names));
    const all = [...shared, ...args];
    if (guard === undefined) return this.#wire.run(operation, step, [names.base], all, bytesReply);
    const call = fenced(guard, names.base, { script: step, keys: [names.base], args: all });
    return this.#wire.run(operation, call.script, call.keys, call.args, bytesReply);
  }

  #placeOf(queue: QueueAddress): QueuePlace {
    const known = this.#places.get(queue);
    if (known !== undefined) return known;
    const names = queueNames(queue, this.#keys);
    const format = queue.notices ? (queue.documented ? 'json' : 'framed') : '';
    const kept = [String(queue.keepCompletedMs), String(queue.keepFailedMs)];
    const shared = [
      names.record,
      names.stats,
      names.notices,
      format,
      this.#keys.wakePrefix,
      queueTopic(queue),
      ...kept,
    ];
    const place = { names, scattered: isScattered(names), shared };
    this.#places.set(queue, place);
    return place;
  }
}

function filterArguments(filter: JobFilter): string[] {
  const { status, topic, group, workerName, createdFromMs, createdToMs, endedFromMs, endedToMs } = filter;
  const parts = [status, topic, group, workerName, createdFromMs, createdToMs, endedFromMs, endedToMs];
  return [...parts.map((part) => String(part ?? '')), String(filter.olderThanMs), ...filter.fields];
}

function limitsOf({ limits }: QueueAddress): string {
  return limits === undefined ? '' : `${limits.running} ${limits.starts} ${limits.windowMs} ${limits.runningInGroup}`;
}
