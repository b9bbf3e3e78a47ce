import { UnknownFormError } from '../errors.js';
import type { JobBatch, NewJob, QueueAddress } from './queue-port.js';

/** Jobs of one queue that wait for the store. */
export interface SpooledBatch {
  /** Of the keys of the queue. */
  readonly namespace: string;
  readonly queue: QueueAddress;
  readonly durable: boolean;
  readonly jobs: readonly NewJob[];
}

/** The kind of record, in a journal file, that holds a {@link SpooledBatch}. */
export const batchKind = 1;

type SpooledJob = Omit<NewJob, 'data'> & { readonly data: undefined; readonly bytes: number };
type Head = Omit<SpooledBatch, 'jobs'> & { readonly jobs: readonly SpooledJob[] };

/** One line of JSON, and behind it the data of the jobs, as it is stored: bytes are no text. */
export function writeBatch(namespace: string, queue: QueueAddress, { jobs, durable }: JobBatch): Buffer {
  const data = jobs.map(({ data: stored }) => (typeof stored === 'string' ? Buffer.from(stored) : stored));
  const head: Head = {
    ...{ namespace, queue, durable: durable ?? false },
    jobs: jobs.map((job, index) => ({ ...job, data: undefined, bytes: data[index]?.length ?? 0 })),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...data]);
}

/**
 * Those jobs, `waitedMs` later: what was to be waited for a job, or until it is of no use, is less by that.
 * @throws UnknownFormError for a record of a kind that a newer version wrote.
 */
export function readBatch(kind: number, body: Buffer, waitedMs: number): SpooledBatch {
  if (kind !== batchKind) throw new UnknownFormError('A record of a journal file');
  let at = body.indexOf('\n') + 1;
  const { jobs, ...head } = JSON.parse(body.toString('utf8', 0, at)) as Head;
  const read = jobs.map(({ bytes, delayMs, options, ...job }): NewJob => {
    const data = body.subarray(at, (at += bytes));
    return { ...job, delayMs: Math.max(0, delayMs - waitedMs), options: aged(options, waitedMs), data };
  });
  return { ...head, jobs: read };
}

function aged(options: string, waitedMs: number): string {
  if (options === '') return options;
  const read = JSON.parse(options) as { readonly deadlineMs?: number };
  if (read.deadlineMs === undefined) return options;
  return JSON.stringify({ ...read, deadlineMs: Math.max(1, read.deadlineMs - waitedMs) });
}
