import { isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { jittered } from '../random.js';
import { backoffMs, type JobChecks, readJobOptions, type ResolvedJobOptions } from './queue-options.js';
import type { ClaimedJob, JobEnd } from './queue-port.js';
import { isOverdue, overdueError, restMs, type TimeLimit, timeLimit } from './job-time.js';
import { decodeChecked } from '../schema.js';
import { errorText, NonRetryableError, returned, type RunningJob } from './running-job.js';

/** A job as its handler sees it. */
export interface JobToRun<Data> {
  readonly id: string;
  readonly data: Data;
  /** 1 for the first. */
  readonly attempt: number;
  readonly priority: number;
  readonly createdAtMs: number;
  readonly group?: string;
  readonly topic?: string;
}

/** What a handler is given besides its job. */
export interface JobControls {
  /**
   * Aborts, with a `JobAborted`, when the job was cancelled, another worker may have it, its time is over, or this worker
   * stops.
   */
  readonly signal: AbortSignal;
  /**
   * Notes how far the job is, 0 to 1; less than was noted before counts for nothing. At most one note is under way; later
   * ones replace those that wait.
   */
  readonly progress: (fraction: number) => void;
  /**
   * Writes a line to the job's log, which stands in its record: the last 100 lines and 8 KiB, each line cut at 1,024
   * characters. A line that cannot be sent at once, because the store is away, is lost.
   */
  readonly log: (text: string) => void;
}

/**
 * Does a job. What it returns is kept as the result; when it throws, the job is tried again. It must let the event loop
 * turn: a worker that is not heard of for 5 s loses its jobs to others.
 */
export type JobHandler<Data, Result> = (job: JobToRun<Data>, controls: JobControls) => Result | Promise<Result>;

/** What handlers of one worker are run with. */
export interface HandlerPlace<Data, Result> {
  readonly handler: JobHandler<Data, Result>;
  readonly settings: ResolvedJobOptions;
  readonly context: FeatureContext;
  readonly checks: JobChecks<Data, Result>;
  readonly progress: (running: RunningJob, fraction: number) => void;
  readonly log: (running: RunningJob, text: string) => void;
  /** Milliseconds since 1970 by the store's clock, about. */
  readonly storeNow: () => number;
}

/** A job that a newer version wrote waits about this long for a worker of that version. */
const newerVersionMs = 5_000;

/**
 * Runs the handler for one job; answers how it ended, at once where the handler did. Never throws or rejects.
 */
export function runHandler<Data, Result>(
  place: HandlerPlace<Data, Result>,
  running: RunningJob,
): JobEnd | Promise<JobEnd> {
  const { job } = running;
  try {
    const data = decodeChecked(place.context.codec, place.checks.data, job.data, `Job ${job.id}`);
    if (!(data instanceof Promise)) return withData(place, running, data);
    return data.then(
      (decoded) => withData(place, running, decoded),
      (error: unknown) => undecodable(place, job, error),
    );
  } catch (error) {
    return undecodable(place, job, error);
  }
}

function withData<Data, Result>(
  place: HandlerPlace<Data, Result>,
  running: RunningJob,
  data: Data,
): JobEnd | Promise<JobEnd> {
  const threw = (error: unknown): JobEnd => failed(place, running, error);
  try {
    const limit = timeLimit(running.job, readJobOptions(running.job.options, place.settings), place.storeNow);
    if (limit !== undefined && limit.ms <= 0) return overdue(place, running, limit);
    const result = place.handler(jobToRun(running.job, data), controlsOf(place, running));
    if (!isThenable(result)) return completed(place, running.job, result);
    const end = Promise.resolve(result).then((value) => completed(place, running.job, value), threw);
    return limit === undefined ? end : withinLimit(place, running, end, limit);
  } catch (error) {
    return threw(error);
  }
}

// The handler may go on, unheard: whoever gets the job next must not wait for it.
function withinLimit<Data, Result>(
  place: HandlerPlace<Data, Result>,
  running: RunningJob,
  end: Promise<JobEnd>,
  limit: TimeLimit,
): Promise<JobEnd> {
  return new Promise((resolve) => {
    const timer = place.context.clock.setTimer(() => resolve(overdue(place, running, limit)), limit.ms);
    void end.then((ended) => {
      timer.cancel();
      resolve(ended);
    });
  });
}

function overdue<Data, Result>(place: HandlerPlace<Data, Result>, running: RunningJob, { why }: TimeLimit): JobEnd {
  running.abort(why);
  return failed(place, running, overdueError(why));
}

function jobToRun<Data>({ id, attempt, priority, createdAtMs, group, topic }: ClaimedJob, data: Data): JobToRun<Data> {
  const job = { id, data, attempt, priority, createdAtMs };
  if (group === undefined && topic === undefined) return job;
  return { ...job, ...(group === undefined ? {} : { group }), ...(topic === undefined ? {} : { topic }) };
}

function controlsOf<Data, Result>(place: HandlerPlace<Data, Result>, running: RunningJob): JobControls {
  return {
    get signal() {
      return running.signal;
    },
    progress: (fraction) => place.progress(running, fraction),
    log: (text) => place.log(running, text),
  };
}

function isThenable(value: unknown): value is PromiseLike<never> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

// A result that cannot be stored would not become storable by doing the work again.
function completed<Data, Result>(
  place: HandlerPlace<Data, Result>,
  { id, attempt }: ClaimedJob,
  result: unknown,
): JobEnd {
  try {
    const what = `The result of job ${id}`;
    const checked = place.checks.result === undefined ? result : place.checks.result(result, what);
    const payload = checked === undefined ? '' : place.context.codec.encode(checked, what);
    return { id, attempt, kind: 'complete', payload, delayMs: 0 };
  } catch (error) {
    return { id, attempt, kind: 'fail', payload: errorText(error), delayMs: 0 };
  }
}

function failed<Data, Result>(place: HandlerPlace<Data, Result>, { job, aborted }: RunningJob, error: unknown): JobEnd {
  if (aborted !== undefined && !isOverdue(aborted)) return returned(job);
  const { id, attempt } = job;
  const settings = readJobOptions(job.options, place.settings);
  const waitMs = backoffMs(settings, attempt, place.context.random);
  const inTime = waitMs < restMs(job, settings, place.storeNow);
  const again = attempt < settings.attempts && !(error instanceof NonRetryableError) && inTime;
  const delayMs = again ? waitMs : 0;
  return { id, attempt, kind: again ? 'retry' : 'fail', payload: errorText(error), delayMs };
}

function undecodable<Data, Result>({ context }: HandlerPlace<Data, Result>, job: ClaimedJob, error: unknown): JobEnd {
  const { id, attempt } = job;
  if (!isCommonholdError(error) || error.code !== 'UnknownForm') {
    return { id, attempt, kind: 'fail', payload: errorText(error), delayMs: 0 };
  }
  context.log.warn({ job: id }, 'a job is left to a worker of a newer version');
  return returned(job, Math.ceil(jittered(context.random, newerVersionMs)));
}
