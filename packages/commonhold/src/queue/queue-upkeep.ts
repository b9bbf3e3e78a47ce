import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { checkTopic } from './new-job.js';
import type { EndedStatus, PauseOf, QueueAddress, QueuePort, Sweep } from './queue-port.js';

/** Which of many jobs are meant. */
export interface ManyOptions {
  /** Only those that concern it. Default: all. */
  readonly topic?: string;
  /** Only those that ended at least so long ago. Default: all. */
  readonly olderThan?: Duration;
}

/** Which of many jobs are removed. */
export interface RemoveOptions extends ManyOptions {
  readonly status: EndedStatus;
}

const manyNames = { topic: true, olderThan: true } satisfies OptionNames<ManyOptions>;
const removeNames = { status: true, topic: true, olderThan: true } satisfies OptionNames<RemoveOptions>;
/** Jobs that one step looks at: few enough to hold up nobody else at the server. */
const mostAStep = 500;

/** Sends the failed jobs that are meant again; returns how many. @throws InvalidArgumentError naming the option. */
export async function retryAll(port: QueuePort, queue: QueueAddress, meant: ManyOptions): Promise<number> {
  checkOptionNames('queue retryMany', meant, manyNames);
  return sweepAll(port, queue, 'retry', { ...meant, status: 'failed' });
}

/** Removes the records of jobs that ended; returns how many. @throws InvalidArgumentError naming the option. */
export async function removeAll(port: QueuePort, queue: QueueAddress, meant: RemoveOptions): Promise<number> {
  return sweepAll(port, queue, 'remove', meant);
}

async function sweepAll(
  port: QueuePort,
  queue: QueueAddress,
  change: Sweep['change'],
  meant: RemoveOptions,
): Promise<number> {
  const sweep = resolveSweep(change, meant);
  let changed = 0;
  let cursor: string | undefined;
  do {
    const step = await port.sweep(queue, sweep, cursor, mostAStep);
    changed += step.changed;
    ({ cursor } = step);
  } while (cursor !== undefined);
  return changed;
}

/** Removes what waits step by step; returns how many jobs. */
export async function drainAll(port: QueuePort, queue: QueueAddress): Promise<number> {
  let removed = 0;
  for (;;) {
    const step = await port.drain(queue, mostAStep);
    removed += step.removed;
    if (!step.more) return removed;
  }
}

/** Removes the queue step by step. */
export async function obliterateAll(port: QueuePort, queue: QueueAddress): Promise<void> {
  let cursor: string | undefined;
  do cursor = await port.obliterate(queue, cursor);
  while (cursor !== undefined);
}

/** @throws InvalidArgumentError unless it is what can be paused. */
export function checkPauseOf(what: PauseOf): PauseOf {
  if (what === 'taking' || what === 'adding') return what;
  throw new InvalidArgumentError('queue pause', "'taking' or 'adding'", what);
}

function resolveSweep(change: Sweep['change'], meant: RemoveOptions): Sweep {
  checkOptionNames(`queue ${change}Many`, meant, removeNames);
  const { status, topic, olderThan } = meant;
  if (status !== 'failed' && status !== 'completed' && status !== 'cancelled') {
    throw new InvalidArgumentError(`queue ${change}Many status`, "'failed', 'completed' or 'cancelled'", status);
  }
  if (topic !== undefined) checkTopic(topic);
  else if (status !== 'failed') {
    throw new InvalidArgumentError(`queue ${change}Many topic`, `a topic, by which ${status} jobs are found`, topic);
  }
  const olderThanMs = olderThan === undefined ? 0 : durationMs(olderThan, `queue ${change}Many olderThan`);
  return { change, status, topic, olderThanMs };
}
