import type { ServerResponse } from 'node:http';
import type { Concurrency } from '../../concurrency/concurrency.js';
import type { Duration } from '../../duration.js';
import { problemOf } from './admission.js';
import { type Problem, problemDocument } from './problem.js';

/** How long a request may wait for a slot. */
export interface SlotWait {
  /** At most this long. Default: it does not wait. */
  readonly wait?: Duration;
}

/**
 * Takes a slot of `subject` for as long as `response` is open. Returns the problem to answer with when none is free, or the
 * store cannot tell; undefined when the request may go on. A client that goes away waits no more.
 */
export async function occupy(
  limit: Concurrency,
  subject: string,
  response: ServerResponse,
  { wait }: SlotWait,
): Promise<Problem | undefined> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once('close', leave);
  try {
    const slot = await limit.acquire(subject, wait === undefined ? {} : { wait, signal: gone.signal });
    if (slot === undefined) return noSlot();
    const release = (): void => void slot[Symbol.asyncDispose]();
    if (response.closed || response.destroyed) release();
    else response.once('close', release);
    return undefined;
  } catch (error) {
    if (gone.signal.aborted) return noSlot();
    return problemOf(error);
  } finally {
    response.removeListener('close', leave);
  }
}

function noSlot(): Problem {
  const detail = 'This client has as many requests under way as are allowed. Try again when one of them has ended.';
  return { document: problemDocument(429, detail), headers: { 'Retry-After': '1' } };
}
