import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { JobLine } from './job-line.js';
import { JobGroups } from './memory-job-groups.js';
import type { JobRecord } from './memory-job-record.js';
import type { AddedJob } from './queue-port.js';
import { ScoredSet } from './scored-set.js';

/** Jobs of one priority that wait: those that were touched before stand in front of fresh ones. */
export class PriorityLine {
  readonly again: JobLine<JobRecord> = new JobLine();
  readonly fresh: JobLine<JobRecord> = new JobLine();
  /** Jobs that really wait; the lines may also hold cancelled ones. */
  count = 0;

  /** Takes the next job that waits, passing over those that were cancelled in line. */
  shift(): JobRecord | undefined {
    for (;;) {
      const record = this.again.shift() ?? this.fresh.shift();
      if (record === undefined || record.status === 'pending') return record;
    }
  }

  /** Counts jobs in or out; a line in which none waits is empty. */
  add(count: number): void {
    this.count += count;
    if (this.count > 0) return;
    this.again.clear();
    this.fresh.clear();
  }
}

/** The jobs of one topic. */
export interface TopicIndex {
  /** How many of them have not ended. */
  open: number;
  /** Ids in the order they were added, by sequence number. */
  readonly ids: Map<string, number>;
}

/** What ended on one day. */
export interface DayCount {
  completed: number;
  failed: number;
  processingMs: number;
}

/** All of one queue. What it counts in bytes are the records; the rest is small beside them. */
export class QueueState {
  readonly records: ExpiringTable<JobRecord>;
  /** Worker -> number of its last turn. */
  readonly turns: ExpiringTable<number>;
  /** Adder -> its last batches, by slot. */
  readonly batches: ExpiringTable<Map<number, { readonly number: number; readonly added: readonly AddedJob[] }>>;
  readonly topics: ExpiringTable<TopicIndex>;
  /** By priority. */
  readonly lines: readonly PriorityLine[] = Array.from({ length: 11 }, () => new PriorityLine());
  readonly groups: JobGroups = new JobGroups();
  readonly suspects: JobLine<JobRecord> = new JobLine();
  readonly delayed: ScoredSet = new ScoredSet();
  readonly leases: ScoredSet = new ScoredSet();
  readonly idle: ScoredSet = new ScoredSet();
  readonly dead: ScoredSet = new ScoredSet();
  /** Worker -> what it runs, in the order it was started. */
  readonly held: Map<string, Set<JobRecord>> = new Map();
  /** Days since 1970 -> what ended on them. */
  readonly days: Map<number, DayCount> = new Map();
  /** Id of a job that has not ended -> owners that wait for its end. */
  readonly awaited: Map<string, Set<string>> = new Map();
  /** The busy worker that takes nothing until it is free for a job that must run alone. */
  drainer: string | undefined;
  /** Jobs started since `fromMs`, where the queue bounds them. */
  window: { fromMs: number; starts: number } = { fromMs: -Infinity, starts: 0 };
  total = 0;
  completed = 0;
  failed = 0;
  sequence = 0;
  paused = false;
  /** Whether no job may be added. */
  closed = false;

  /** How many jobs wait. */
  get waiting(): number {
    return this.lines.reduce((sum, line) => sum + line.count, this.suspects.length + this.groups.waiting);
  }

  /** What the store keeps of it besides this object. */
  get tables(): readonly { keys(): Iterable<string>; delete(key: string): boolean }[] {
    return [this.records, this.turns, this.batches, this.topics];
  }

  /** The state of the queue called `base` in `store`. */
  constructor(store: MemoryStore, base: string) {
    this.records = store.table(`queue-job:${base}`);
    this.turns = store.table(`queue-turn:${base}`);
    this.batches = store.table(`queue-batch:${base}`);
    this.topics = store.table(`queue-topic:${base}`);
  }
}
