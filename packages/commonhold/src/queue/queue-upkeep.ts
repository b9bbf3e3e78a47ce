import { InvalidArgumentError } from '../errors.js';
import { checkFilter, type ManyOptions } from './job-filter.js';
import type { ResolvedQueueOptions } from './queue-options.js';
import type { EndedStatus, PauseOf, QueueAddress, QueuePort, Sweep } from './queue-port.js';

/** Which of many jobs are removed. */
export interface RemoveOptions extends ManyOptions {
  readonly status: EndedStatus;
}

/** Jobs that one step looks at: few enough to hold up nobody else at the server. */
const mostAStep = 500;

/** Sends the failed jobs that are meant again; returns how many. @throws InvalidArgumentError naming the option. */
export async function retryAll(port: QueuePort, queue: ResolvedQueueOptions, meant: ManyOptions): Promise<number> {
  const filter = checkFilter('queue retryMany', meant, queue.searchFields ?? []);
  if (filter.status !== undefined) throw new InvalidArgumentError('queue retryMany status', 'none', filter.status);
  return sweepAll(port, queue.address, { change: 'retry', filter: { ...filter, status: 'failed' } });
}

/** Removes the records of jobs that ended; returns how many. @throws InvalidArgumentError naming the option. */
export async function removeAll(port: QueuePort, queue: ResolvedQueueOptions, meant: RemoveOptions): Promise<number> {
  const filter = checkFilter('queue removeMany', meant, queue.searchFields ?? []);
  const { status, topic } = filter;
  if (status !== 'failed' && status !== 'completed' && status !== 'cancelled') {
    throw new InvalidArgumentError('queue removeMany status', "'failed', 'completed' or 'cancelled'", status);
  }
  if (status !== 'failed' && topic === undefined && queue.searchFields === undefined) {
    throw new InvalidArgumentError('queue removeMany topic', `a topic, by which ${status} jobs are found`, topic);
  }
  return sweepAll(port, queue.address, { change: 'remove', filter });
}

async function sweepAll(port: QueuePort, queue: QueueAddress, sweep: Sweep): Promise<number> {
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
