import type { SpoolSize } from '../backend/backend.js';
import type { JournalSource } from '../backend/resilient/journal-file.js';
import type { JournalFolder } from '../backend/resilient/journal-folder.js';
import type { JournalRecord } from '../backend/resilient/journal-records.js';
import type { Clock, Timer } from '../clock.js';
import { isCommonholdError, OutcomeUnknownError } from '../errors.js';
import { withinGrace } from '../grace.js';
import type { Log } from '../log.js';
import type { Owner } from '../owner.js';
import { jittered, type Random } from '../random.js';
import { AddBatch } from './add-batch.js';
import type { JobBatch, QueueAddress, QueuePort } from './queue-port.js';
import { batchKind, readBatch, type SpooledBatch, writeBatch } from './spool-record.js';

/** What a spool needs. */
export interface JobSpoolOptions {
  readonly folder: JournalFolder;
  /** The store's port for queues of that namespace. */
  readonly portOf: (namespace: string) => QueuePort;
  /** Whether the whole store is there. If not, a part of it may be. */
  readonly connected: () => boolean;
  /** For the disk to take jobs. */
  readonly deadlineMs: number;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Read extends SpooledBatch {
  readonly record: JournalRecord;
  /** Names what fails together. */
  readonly name: string;
}

type Step = readonly [Read, ...Read[]];

const againMs = 1_000;
/** A process that stands still for a while loses one part of the wait, and does not take that for the disk's fault. */
const partsOfWait = 4;
/** Jobs, and bytes of them, that are read and on their way to the store at once: of one queue not more than a step takes. */
const mostUnderWay = 500;
const mostBytesUnderWay = 1024 * 1024;

/**
 * The jobs that wait on disk for their store, those of dead processes among them. Those that one process left are added in the
 * order in which they came, for each queue; one that refuses them, since its part of the store is away or adding to it is paused,
 * does not keep others waiting.
 */
export class JobSpool {
  readonly #options: JobSpoolOptions;
  readonly #ports = new Map<string, QueuePort>();
  /** Of what was written or read here, so that it is not read again for a queue that refuses. */
  readonly #names = new WeakMap<JournalRecord, string>();
  readonly #told = new Set<string>();
  #again: Timer | undefined;
  #replaying: Promise<void> | undefined;
  #closed = false;

  constructor(options: JobSpoolOptions) {
    this.#options = options;
    options.folder.onAdopted = () => this.#retrySoon();
    if (this.#waits) this.replay().catch(() => undefined);
  }

  /** Part of what a state says of itself; empty when no job waits and none was lost. */
  status(): { readonly spool?: SpoolSize } {
    const { entries, bytes, oldestAtMs, lostBytes } = this.#options.folder.numbers();
    if (entries === 0 && lostBytes === 0) return {};
    const since = oldestAtMs === undefined ? {} : { oldestAtMs };
    return { spool: { entries, bytes, maxBytes: this.#options.folder.maxBytes, ...since, lostBytes } };
  }

  /** Resolves when the jobs are on disk. Rejects as `JournalFile.append` does, and when the disk does not answer in time. */
  async add(namespace: string, queue: QueueAddress, batch: JobBatch): Promise<void> {
    const { folder, clock, deadlineMs } = this.#options;
    const written = folder.own
      .append(batchKind, writeBatch(namespace, queue, batch), batch.jobs.length)
      .then((record) => this.#noteWritten(record, nameOf(namespace, queue)));
    for (let part = 0; part < partsOfWait; part++) {
      if (await withinGrace(clock, written, deadlineMs / partsOfWait)) return written;
    }
    throw new OutcomeUnknownError('queue.add', 'the disk with the journal file does not answer', false);
  }

  /** Adds to the store what waits, as far as it answers. Never two rounds at once. */
  replay(): Promise<void> {
    this.#replaying ??= this.#replayAll().finally(() => {
      this.#replaying = undefined;
      if (this.#waits) this.#retrySoon();
    });
    return this.#replaying;
  }

  /** What still waits stays on disk, for the next process. A disk that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#again?.cancel();
    const { folder, clock, log } = this.#options;
    if (await withinGrace(clock, this.#closeFiles())) return;
    log.error({ file: folder.own.path }, 'closing without the disk of the journal file, which does not answer');
  }

  async #closeFiles(): Promise<void> {
    await this.#replaying;
    await this.#options.folder.close();
  }

  #noteWritten(record: JournalRecord, name: string): void {
    this.#names.set(record, name);
    this.#retrySoon();
  }

  // A part of a cluster may be back, or a queue take jobs again, without a word.
  #retrySoon(): void {
    if (this.#closed || this.#again !== undefined) return;
    const { clock, random } = this.#options;
    this.#again = clock.setTimer(
      () => {
        this.#again = undefined;
        void this.replay();
      },
      jittered(random, againMs),
    );
  }

  get #waits(): boolean {
    return this.#options.folder.sources.some(({ records }) => records.count > 0);
  }

  async #replayAll(): Promise<void> {
    const refusing = new Set<string>();
    let brought = 0;
    for (const source of this.#options.folder.sources) brought += await this.#replayFrom(source, refusing);
    if (brought > 0) this.#options.log.info({ jobs: brought }, 'Spooled jobs were brought to Redis');
  }

  async #replayFrom(source: JournalSource, refusing: Set<string>): Promise<number> {
    let brought = 0;
    const isRefused = (record: JournalRecord): boolean => refusing.has(this.#names.get(record) ?? '');
    // One tells whether its part of a store is there that is not there as a whole.
    const most = (): number => (brought > 0 || this.#options.connected() ? mostUnderWay : 1);
    for (const chunk of chunksOf(source.records, isRefused, most)) {
      if (this.#closed) break;
      brought += await this.#replayChunk(source, chunk, refusing);
    }
    return brought;
  }

  async #replayChunk(source: JournalSource, chunk: readonly JournalRecord[], refusing: Set<string>): Promise<number> {
    const read = await Promise.all(chunk.map((record) => this.#read(source, record)));
    const queues = new Map<string, Read[]>();
    for (const batch of read) {
      if (batch === undefined || refusing.has(batch.name)) continue;
      const batches = queues.get(batch.name) ?? [];
      queues.set(batch.name, batches);
      batches.push(batch);
    }
    const done = await Promise.all(Array.from(queues.values(), (batches) => this.#bringInOrder(batches, refusing)));
    source.forget(done.flat());
    return done.flat().reduce((sum, { entries }) => sum + entries, 0);
  }

  // Of one queue. What comes behind a step that was lost waits for it.
  async #bringInOrder(batches: readonly Read[], refusing: Set<string>): Promise<JournalRecord[]> {
    const done: JournalRecord[] = [];
    for (const step of stepsOf(batches)) {
      if (!(await this.#bring(step))) {
        refusing.add(step[0].name);
        break;
      }
      done.push(...step.map(({ record }) => record));
    }
    return done;
  }

  async #read(source: JournalSource, record: JournalRecord): Promise<Read | undefined> {
    const waitedMs = Math.max(0, this.#options.clock.now() - record.atMs);
    try {
      const batch = readBatch(record.kind, await source.read(record), waitedMs);
      const name = nameOf(batch.namespace, batch.queue);
      this.#names.set(record, name);
      return { ...batch, record, name };
    } catch (error) {
      this.#tell('a record of a journal file cannot be read, and stays there', { error: String(error) });
      return undefined;
    }
  }

  // Joined into one step, which the store knows if it is sent again. Texts may have become more bytes than that takes.
  async #bring(step: Step): Promise<boolean> {
    const [{ namespace, queue, durable }] = step;
    try {
      const batch = AddBatch.of(this.#portOf(namespace), queue, this.#options, durable);
      const jobs = step.flatMap((one) => one.jobs);
      if (step.reduce((sum, { record }) => sum + record.bytes, 0) > mostBytesUnderWay) {
        for (const job of jobs) await batch.add(job);
      } else await Promise.all(jobs.map((job) => batch.add(job)));
      return true;
    } catch (error) {
      if (!isPassing(error)) {
        this.#tell('spooled jobs are refused, and stay on disk', { queue: queue.name, error: String(error) });
      }
      return false;
    }
  }

  #portOf(namespace: string): QueuePort {
    const port = this.#ports.get(namespace) ?? this.#options.portOf(namespace);
    this.#ports.set(namespace, port);
    return port;
  }

  #tell(message: string, fields: object): void {
    const line = `${message} ${JSON.stringify(fields)}`;
    if (this.#told.has(line)) return;
    this.#told.add(line);
    this.#options.log.error(fields, message);
  }
}

function nameOf(namespace: string, { name }: QueueAddress): string {
  return `${namespace} ${name}`;
}

/** In order, of about `most()` jobs each, and looked for only when they are wanted. */
function* chunksOf(
  records: Iterable<JournalRecord>,
  isRefused: (record: JournalRecord) => boolean,
  most: () => number,
): Iterable<JournalRecord[]> {
  let chunk: JournalRecord[] = [];
  let [jobs, bytes] = [0, 0];
  for (const record of [...records]) {
    if (isRefused(record)) continue;
    if (chunk.length > 0 && (jobs + record.entries > most() || bytes + record.bytes > mostBytesUnderWay)) {
      yield chunk;
      [chunk, jobs, bytes] = [[], 0, 0];
    }
    chunk.push(record);
    jobs += record.entries;
    bytes += record.bytes;
  }
  if (chunk.length > 0) yield chunk;
}

/** Neighbours that can be added together. */
function stepsOf(batches: readonly Read[]): Step[] {
  const steps: [Read, ...Read[]][] = [];
  for (const batch of batches) {
    const last = steps.at(-1);
    if (last?.[0].durable === batch.durable) last.push(batch);
    else steps.push([batch]);
  }
  return steps;
}

function isPassing(error: unknown): boolean {
  const passing = ['Unavailable', 'OutcomeUnknown', 'Overloaded', 'Closed', 'QueuePaused'];
  return isCommonholdError(error) && passing.includes(error.code);
}
