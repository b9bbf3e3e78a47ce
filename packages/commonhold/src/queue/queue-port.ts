import type { Stored } from '../codec/stored.js';
import type { Guard } from '../guard.js';
import { encodePart } from '../keys.js';

/** Where a queue lives and what it keeps; the same for every call on it. */
export interface QueueAddress {
  readonly name: string;
  /** Key names that other programs rely on, instead of ours. */
  readonly documented: DocumentedNames | undefined;
  /** Whether changes of a job are announced on channels. */
  readonly notices: boolean;
  /** How long records of completed and cancelled jobs stay; 0 for not at all. */
  readonly keepCompletedMs: number;
  /** How long records of failed jobs stay, to be looked at or sent again. */
  readonly keepFailedMs: number;
  /** Undefined for none. */
  readonly limits: QueueLimits | undefined;
}

/** Bounds over all workers of a queue; 0 for none. */
export interface QueueLimits {
  /** Jobs that run at once. */
  readonly running: number;
  /** Jobs started in one window, which begins with the first of them. */
  readonly starts: number;
  readonly windowMs: number;
  /** Jobs of one group that run at once. */
  readonly runningInGroup: number;
}

/** Verbatim beginnings of key names, four different ones. */
export interface DocumentedNames {
  /** The queue's own structures. */
  readonly queue: string;
  /** A job's hash is `<record>:<id>`. */
  readonly record: string;
  /** Totals are `<stats>:tasks:total` and so on, days `<stats>:daily:<YYYY-MM-DD>`. */
  readonly stats: string;
  /** Channels are `<notices>`, `<notices>:user:<topic>` and `<notices>:task:<id>`. */
  readonly notices: string;
}

/** `pending` and `delayed` jobs wait, `processing` ones run; the others have ended. */
export type JobStatus = 'pending' | 'delayed' | 'processing' | 'completed' | 'failed' | 'cancelled';

/** A job to add. With an id it has a record of its own from the start; without, it is compact. */
export interface NewJob {
  /**
   * Chosen by the caller or drawn for it; a second job of a known id is not added. Needed for a delay, a topic or fields.
   * Not of the form of {@link isDrawnByQueue}.
   */
  readonly id: string | undefined;
  /** 0 to 10, higher first. */
  readonly priority: number;
  /** Within its priority the groups take turns. Without a control character. */
  readonly group: string | undefined;
  readonly delayMs: number;
  /** Whom it concerns: its jobs can be listed, and its notices heard. */
  readonly topic: string | undefined;
  readonly data: Stored;
  /** Settings of this job alone, as text for the front. Without a line feed. */
  readonly options: string;
  /** Names and texts that stand in the record beside `data`, for readers in other languages. At most 1,000. */
  readonly fields: readonly string[];
  /** Names and texts, in turn, that a searched queue finds it by; undefined for a queue that is not searched. Needs an id. */
  readonly searchedBy: readonly string[] | undefined;
}

/** Jobs added in one step. Sent again with the same number after its answer was lost, it is not added twice. */
export interface JobBatch {
  /** {@link workerId} of whoever adds. */
  readonly adder: string;
  /** 1, 2, 3 and so on for each adder, of whose batches at most {@link mostUnanswered} may be without an answer. */
  readonly number: number;
  readonly jobs: readonly NewJob[];
  /** Whether it is answered only when the jobs outlive the server that took them. */
  readonly durable?: boolean;
  /** Where a later holder has added to the queue, nothing is added, and the step rejects with `StaleGuard`. */
  readonly guard?: Guard | undefined;
  /** Whether a process may keep the jobs for a store that is away, and add them later. They need ids for that. */
  readonly spoolable?: boolean;
}

/** How many batches of one adder are remembered, for ten minutes. */
export const mostUnanswered = 32;

/** What became of a job that was added. */
export interface AddedJob {
  readonly id: string;
  /** A job of this id was there, and nothing was added. Not known of one that is spooled. */
  readonly duplicate: boolean;
  /**
   * `stored`: in the store. `spooled`: the store was away, and the job is on the disk of this process, which adds it to the
   * store when that is back.
   */
  readonly accepted: 'stored' | 'spooled';
}

/** Who works: leases bind to `id`, people see `name`. */
export interface QueueWorker {
  /** {@link workerId}: one process may have several workers. */
  readonly id: string;
  readonly name: string;
  readonly leaseMs: number;
}

/** How a started job ended. Refused as superseded unless `attempt` is the present one and the worker holds the job. */
export interface JobEnd {
  readonly id: string;
  readonly attempt: number;
  /**
   * `complete` with its result; `fail` for good, with its error; `retry` after `delayMs`, with its error; `return`
   * unfinished and with no attempt charged, first in line again or, where `delayMs` is not 0, after that.
   */
  readonly kind: 'complete' | 'fail' | 'retry' | 'return';
  /** The result, '' for none, or the text of the error. */
  readonly payload: Stored;
  /** A whole number, 0 or more. */
  readonly delayMs: number;
}

/** One trip of a worker: hand in what ended, take what is free. */
export interface QueueTurn {
  /**
   * 1, 2, 3 and so on for each worker, whose turns follow each other. One that comes after a later one does nothing: it
   * was held up on its way, and its worker would not learn what it got.
   */
  readonly number: number;
  readonly ends: readonly JobEnd[];
  /** How many jobs to take at most. */
  readonly free: number;
  /** Whether this worker holds nothing: only then may it take a job that must run alone. */
  readonly idle: boolean;
  /**
   * After a turn whose answer was lost: the ids this worker knows that it holds. Others it holds without knowing are
   * given to it again. Undefined when nothing was lost.
   */
  readonly known: readonly string[] | undefined;
}

/** A job that a worker holds from now on. */
export interface ClaimedJob {
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly priority: number;
  readonly createdAtMs: number;
  readonly options: string;
  readonly group: string | undefined;
  readonly topic: string | undefined;
  readonly data: Stored;
}

/** What a trip brought. */
export interface QueueTurnReply {
  /** For each end given. */
  readonly ends: readonly ('done' | 'superseded')[];
  readonly jobs: readonly ClaimedJob[];
  /** The one job was with workers that died, twice: run nothing beside it. */
  readonly alone: boolean;
  /** Jobs that wait for this worker to hold nothing; busy workers are asked one at a time. */
  readonly waitingForIdle: number;
  readonly paused: boolean;
  /** Milliseconds until a delayed job falls due or another worker's lease ends; undefined when there is none. */
  readonly lookAgainMs: number | undefined;
  /** Workers that wait for jobs, this one included; 0 when it does not. */
  readonly waitingWorkers: number;
  /**
   * The jobs were so large, or behind so many cancelled ones, that there were fewer of them, or of those held without
   * knowing: take another turn.
   */
  readonly cut: boolean;
  /** Milliseconds since 1970, by the clock that dates jobs; 0 for a turn that came after a later one. */
  readonly nowMs: number;
}

/** A job as it stands, absent parts left out. */
export interface StoredJob {
  readonly id: string;
  readonly status: JobStatus;
  readonly priority: number;
  readonly createdAtMs: number;
  readonly attempts: number;
  readonly data: Stored;
  readonly options: string;
  readonly group?: string;
  readonly topic?: string;
  readonly workerName?: string;
  readonly startedAtMs?: number;
  readonly completedAtMs?: number;
  /** 0 to 1. */
  readonly progress?: number;
  readonly result?: Stored;
  readonly error?: string;
  /** Lines parted by line feeds, each the milliseconds since 1970, a space, and a text. */
  readonly log?: string;
}

/** Some of many jobs. Large ones make a page shorter than asked for. */
export interface JobPage {
  readonly jobs: readonly StoredJob[];
  /** Pass it to get the next page, which may be empty; undefined on the last. */
  readonly cursor: string | undefined;
}

/** Jobs that are not over, and failed ones while their records are kept. */
export type QueueCounts = Readonly<Record<'pending' | 'delayed' | 'processing' | 'failed', number>>;

/** Jobs since the queue began. */
export interface QueueTotals {
  /** Jobs ever added. */
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
}

/** What ended on one UTC day. */
export interface QueueDay {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly completed: number;
  readonly failed: number;
  /** Mean milliseconds from start to completion, rounded. */
  readonly averageMs: number;
}

/** About how many bytes of jobs one answer carries: it must arrive within its deadline. */
export const mostReplyBytes: number = 1024 * 1024;

/** What of a queue can be paused. */
export type PauseOf = 'taking' | 'adding';

/** Which jobs are meant: those to which all that is not undefined applies. */
export interface JobFilter {
  readonly status: JobStatus | undefined;
  readonly topic: string | undefined;
  readonly group: string | undefined;
  readonly workerName: string | undefined;
  readonly createdFromMs: number | undefined;
  readonly createdToMs: number | undefined;
  readonly endedFromMs: number | undefined;
  readonly endedToMs: number | undefined;
  /** They ended at least so long ago; 0 for any, ended or not. */
  readonly olderThanMs: number;
  /** Names and texts, in turn, that they are found by; none unless the queue is searched. */
  readonly fields: readonly string[];
}

/** Which jobs that ended are changed, and how. */
export interface Sweep {
  /** `retry` is for failed jobs alone. */
  readonly change: 'retry' | 'remove';
  /** With the status of jobs that ended. Unless the queue is searched, with a topic where it is not `failed`. */
  readonly filter: JobFilter;
}

/** The status of a job that has ended. */
export type EndedStatus = Extract<JobStatus, 'completed' | 'failed' | 'cancelled'>;

/** What one step of a sweep did. */
export interface SweepStep {
  readonly changed: number;
  /** For the next step; undefined when this was the last. */
  readonly cursor: string | undefined;
}

/** What one step of draining did. */
export interface DrainStep {
  readonly removed: number;
  /** Whether some may be left. */
  readonly more: boolean;
}

/** Lines of a job's log that stay. */
export const mostLogLines: number = 100;
/** Bytes of a job's log that stay. */
export const mostLogBytes: number = 8_192;

/** What the twins of the queue must do. Each method is one atomic step. */
export interface QueuePort {
  /**
   * Adds the jobs in order, all or none, and none while adding is paused; counts them and wakes as many waiting workers as there are jobs. A batch that
   * comes after one of {@link mostUnanswered} numbers later adds nothing and answers with no jobs.
   */
  add(queue: QueueAddress, batch: JobBatch): Promise<readonly AddedJob[]>;
  /**
   * Ends, takes over what dead workers held, promotes what falls due, and claims: the highest priority first, within it
   * the oldest; where there are groups, one job of each in turn, the jobs without a group being one more of them. A worker that gets fewer jobs than it asked for is woken with {@link queueTopic} when some come.
   */
  turn(queue: QueueAddress, worker: QueueWorker, turn: QueueTurn): Promise<QueueTurnReply>;
  /** Keeps the lease of a worker; returns those of `held` that are not its own any more (cancelled, or taken over). */
  renew(queue: QueueAddress, worker: QueueWorker, held: readonly string[]): Promise<readonly string[]>;
  /** Wakes this worker no more. What it still holds is taken over when its lease ends. */
  leave(queue: QueueAddress, worker: QueueWorker): Promise<void>;
  /**
   * Notes how far a job is, 0 to 1; less than was noted changes nothing. False when it is not this worker's attempt any
   * more.
   */
  progress(queue: QueueAddress, worker: QueueWorker, id: string, attempt: number, progress: number): Promise<boolean>;
  /**
   * Appends lines, without line feeds, to a running job's log, of which the last {@link mostLogLines} lines and
   * {@link mostLogBytes} stay. False when it is not this worker's attempt any more.
   */
  log(
    queue: QueueAddress,
    worker: QueueWorker,
    id: string,
    attempt: number,
    lines: readonly string[],
  ): Promise<boolean>;
  /** The job; undefined when there is none or its record is no longer kept. */
  get(queue: QueueAddress, id: string): Promise<StoredJob | undefined>;
  /** The jobs of a topic, newest first; with `status`, only those. */
  list(
    queue: QueueAddress,
    topic: string,
    status: JobStatus | undefined,
    cursor: string | undefined,
    limit: number,
  ): Promise<JobPage>;
  /**
   * The jobs that are meant, newest first: by when they came into their status where that alone is given of status and
   * fields, else by when they were added. For a queue that is searched.
   */
  search(queue: QueueAddress, filter: JobFilter, cursor: string | undefined, limit: number): Promise<JobPage>;
  /** The jobs that failed for good, newest first. */
  deadLetters(queue: QueueAddress, cursor: string | undefined, limit: number): Promise<JobPage>;
  /**
   * Ends a job that has not ended; a worker that runs it is told with {@link heldTopic}. Returns the status found:
   * pending, delayed and processing jobs are cancelled now, others were over before.
   */
  cancel(queue: QueueAddress, id: string): Promise<JobStatus | undefined>;
  /** Makes a failed job pending again with all its attempts; false when it is not a failed job. */
  retry(queue: QueueAddress, id: string): Promise<boolean>;
  /** How many jobs there are by status. */
  counts(queue: QueueAddress): Promise<QueueCounts>;
  /** How many jobs there ever were. */
  totals(queue: QueueAddress): Promise<QueueTotals>;
  /** The last `count` UTC days by the store's clock, oldest first. Days are kept for 400. */
  days(queue: QueueAddress, count: number): Promise<readonly QueueDay[]>;
  /**
   * The job if it has ended, `waits` if it has not, undefined if there is none. While it waits, the process `owner` is woken
   * with {@link doneTopic} when the job ends or is drained; asking again, within a minute, keeps it so.
   */
  awaitEnd(queue: QueueAddress, id: string, owner: string): Promise<StoredJob | 'waits' | undefined>;
  /** Milliseconds since 1970, by the clock that dates jobs. */
  now(queue: QueueAddress): Promise<number>;
  /** While taking is paused, workers take nothing; while adding is, {@link add} rejects with `QueuePaused`. */
  pause(queue: QueueAddress, what: PauseOf, paused: boolean): Promise<void>;
  /** Removes the record of a job that ended; false when there is none or it has not ended. */
  remove(queue: QueueAddress, id: string): Promise<boolean>;
  /**
   * Looks at the next `most` jobs that ended, oldest first, and changes those that are meant. Their data stays unread. Jobs
   * that fail after the first step of a sweep are not part of it.
   */
  sweep(queue: QueueAddress, sweep: Sweep, cursor: string | undefined, most: number): Promise<SweepStep>;
  /** Removes about `most` jobs that wait, or all of them when there are fewer. */
  drain(queue: QueueAddress, most: number): Promise<DrainStep>;
  /**
   * Removes some of all keys of the queue, but for its notices and, so that no id is drawn twice, its streams, which are
   * emptied. Returns the cursor of the next step, undefined when done.
   */
  obliterate(queue: QueueAddress, cursor: string | undefined): Promise<string | undefined>;
}

/** Whether an id is one that the queue draws for compact jobs: `<priority>-<stream entry>-<place in it>`, with a group `<priority>-g<number>`. */
export function isDrawnByQueue(id: string): boolean {
  return /^\d{1,2}-(?:\d{12,}-\d+-\d{1,2}|g\d+)$/.test(id);
}

/** The topic on which a worker hears that there may be jobs. */
export function queueTopic(queue: QueueAddress): string {
  return `queue:${encodePart(queue.documented?.queue ?? queue.name)}`;
}

/** The topic on which a worker hears that it should look whether the jobs it runs are still its own. */
export function heldTopic(queue: QueueAddress): string {
  return `queue-held:${encodePart(queue.documented?.queue ?? queue.name)}`;
}

/** The topic on which one who waits hears that a job has ended. */
export function doneTopic(queue: QueueAddress, id: string): string {
  return `queue-done:${encodePart(queue.documented?.queue ?? queue.name)}:${id}`;
}

/** The id of one who works or adds: the process it is woken through, and a name of its own in it. */
export function workerId(owner: string, name: string): string {
  return `${encodePart(owner)}:${name}`;
}
