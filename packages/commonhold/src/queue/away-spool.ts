import type { SpoolSize } from '../backend/backend.js';
import type { JournalSource } from '../backend/resilient/journal-file.js';
import type { JournalFolder } from '../backend/resilient/journal-folder.js';
import type { JournalRecord } from '../backend/resilient/journal-records.js';
import type { Clock, Timer } from '../clock.js';
import { isCommonholdError } from '../errors.js';
import type { Log } from '../log.js';
import type { Owner } from '../owner.js';
import { jittered, type Random } from '../random.js';
import { AddBatch } from './add-batch.js';
import { batchKind, readBatch, type SpooledBatch, writeBatch } from './away-batch.js';
import type { JobBatch, QueueAddress, QueuePort } from './queue-port.js';

/** What a spool needs. */
export interface JobSpoolOptions {
  readonly folder: JournalFolder;
  /** The store's port for queues of that namespace. */
  readonly portOf: (namespace: string) => QueuePort;
  /** Whether it is worth trying. */
  readonly connected: () => boolean;
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

const againMs = 1_000;
/** Jobs, and bytes of them, that are on their way to the store at once, about. */
const mostUnderWay = 500;
const mostBytesUnderWay = 1024 * 1024;

/**
 * The jobs that wait on disk for their store, those of dead processes among them. They are added in the order in which they came,
 * for each queue; one that refuses them, since adding to it is paused for example, does not keep others waiting.
 */
export class JobSpool {
  readonly #options: JobSpoolOptions;
  readonly #ports = new Map<string, QueuePort>();
  /** Once a record was read, so that it is not read again for a queue that refuses. */
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

  /** Part of what a state says of itself; empty when no job waits. */
  status(): { readonly spool?: SpoolSize } {
    const { entries, bytes, oldestAtMs, lostBytes } = this.#options.folder.numbers();
    if (oldestAtMs === undefined) return {};
    return { spool: { entries, bytes, maxBytes: this.#options.folder.maxBytes, oldestAtMs, lostBytes } };
  }

  /** Resolves when the jobs are on disk. Rejects as `JournalFile.append` does. */
  async add(namespace: string, queue: QueueAddress, batch: JobBatch): Promise<void> {
    await this.#options.folder.own.append(batchKind, writeBatch(namespace, queue, batch), batch.jobs.length);
    this.#retrySoon();
  }

  /** Adds to the store what waits, as far as it answers. Never two rounds at once. */
  replay(): Promise<void> {
    this.#replaying ??= this.#replayAll().finally(() => {
      this.#replaying = undefined;
      if (this.#waits) this.#retrySoon();
    });
    return this.#replaying;
  }

  /** What still waits stays on disk, for the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#again?.cancel();
    await this.#replaying;
    await this.#options.folder.close();
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
    let chunk: JournalRecord[] = [];
    let [jobs, bytes] = [0, 0];
    for (const record of [...source.records]) {
      if (this.#closed || !this.#options.connected()) return brought;
      if (refusing.has(this.#names.get(record) ?? '')) continue;
      chunk.push(record);
      jobs += record.entries;
      bytes += record.bytes;
      if (jobs < mostUnderWay && bytes < mostBytesUnderWay) continue;
      brought += await this.#replayChunk(source, chunk, refusing);
      [chunk, jobs, bytes] = [[], 0, 0];
    }
    return brought + (await this.#replayChunk(source, chunk, refusing));
  }

  async #replayChunk(source: JournalSource, chunk: readonly JournalRecord[], refusing: Set<string>): Promise<number> {
    const read = await Promise.all(chunk.map((record) => this.#read(source, record)));
    const wanted = read.filter((batch) => batch !== undefined && !refusing.has(batch.name)) as Read[];
    const done = await Promise.all(
      wanted.map(async (batch) => {
        const added = await this.#bring(batch);
        if (!added) refusing.add(batch.name);
        return added ? batch.record : [];
      }),
    );
    source.forget(done.flat());
    return done.flat().reduce((sum, { entries }) => sum + entries, 0);
  }

  async #read(source: JournalSource, record: JournalRecord): Promise<Read | undefined> {
    const waitedMs = Math.max(0, this.#options.clock.now() - record.atMs);
    try {
      const batch = readBatch(record.kind, await source.read(record), waitedMs);
      const name = `${batch.namespace} ${batch.queue.name}`;
      this.#names.set(record, name);
      return { ...batch, record, name };
    } catch (error) {
      this.#tell('a record of a journal file cannot be read, and stays there', { error: String(error) });
      return undefined;
    }
  }

  // The store joins them in few steps, and knows a step that is sent again.
  async #bring({ namespace, queue, durable, jobs }: Read): Promise<boolean> {
    try {
      const batch = AddBatch.of(this.#portOf(namespace), queue, this.#options, durable);
      await Promise.all(jobs.map((job) => batch.add(job)));
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

function isPassing(error: unknown): boolean {
  const passing = ['Unavailable', 'OutcomeUnknown', 'Overloaded', 'Closed', 'QueuePaused'];
  return isCommonholdError(error) && passing.includes(error.code);
}
