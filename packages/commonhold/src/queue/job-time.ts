import type { ResolvedJobOptions } from './queue-options.js';
import type { ClaimedJob } from './queue-port.js';
import { type AbortCause, JobAborted, NonRetryableError } from './running-job.js';

/** How long an attempt may still take, and what it is told then. */
export interface TimeLimit {
  readonly why: OverdueCause;
  readonly ms: number;
}

/** Causes that are failures of the job, not of its worker. */
export type OverdueCause = 'timeout' | 'deadline';

/** What ends first: the attempt's time or the job's; undefined when neither is bounded. */
export function timeLimit(
  job: ClaimedJob,
  settings: ResolvedJobOptions,
  storeNow: () => number,
): TimeLimit | undefined {
  const { timeoutMs = Infinity, deadlineMs } = settings;
  if (timeoutMs === Infinity && deadlineMs === undefined) return undefined;
  const leftMs = restMs(job, settings, storeNow);
  return leftMs <= timeoutMs ? { why: 'deadline', ms: leftMs } : { why: 'timeout', ms: timeoutMs };
}

/** Milliseconds until the job is of no use any more; Infinity when it has no deadline. */
export function restMs(
  { createdAtMs }: ClaimedJob,
  { deadlineMs }: ResolvedJobOptions,
  storeNow: () => number,
): number {
  return deadlineMs === undefined ? Infinity : createdAtMs + deadlineMs - storeNow();
}

/** Whether an aborted attempt counts as failed; otherwise the job goes back with no attempt charged. */
export function isOverdue(cause: AbortCause): cause is OverdueCause {
  return cause === 'timeout' || cause === 'deadline';
}

/** What a job fails with whose time is over. After its deadline trying again is of no use. */
export function overdueError(why: OverdueCause): Error {
  const { message } = new JobAborted(why);
  return why === 'deadline' ? new NonRetryableError(message) : new JobAborted(why);
}
