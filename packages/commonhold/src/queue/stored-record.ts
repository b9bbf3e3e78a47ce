import { CorruptStateError } from '../errors.js';
import type { JobStatus, StoredJob } from './queue-port.js';

const statuses: ReadonlySet<string> = new Set<JobStatus>([
  'pending',
  'delayed',
  'processing',
  'completed',
  'failed',
  'cancelled',
]);

/**
 * Reads a job's hash, given as names and values in turn; undefined when there is none. Fields it does not know are left
 * to those who wrote them.
 * @throws CorruptStateError when status or data is missing.
 */
export function readRecord(id: string, pairs: readonly Buffer[]): StoredJob | undefined {
  const job = findRecord(id, pairs);
  if (job === undefined && pairs.length > 0) {
    throw new CorruptStateError(`The record of job ${id}`, 'status or data is missing');
  }
  return job;
}

/** As {@link readRecord}, with undefined for what cannot be read. */
export function findRecord(id: string, pairs: readonly Buffer[]): StoredJob | undefined {
  const fields = new Map<string, Buffer>();
  for (let index = 0; index < pairs.length; index += 2) fields.set(String(pairs[index]), pairs[index + 1] as Buffer);
  const status = String(fields.get('status'));
  const data = fields.get('data');
  if (!statuses.has(status) || data === undefined) return undefined;
  return {
    id,
    status: status as JobStatus,
    priority: Number(fields.get('priority')),
    createdAtMs: Number(fields.get('created_at')),
    attempts: Number(fields.get('attempts')),
    data,
    options: String(fields.get('options') ?? ''),
    ...optional('group', fields.get('group'), String),
    ...optional('topic', fields.get('topic'), String),
    ...optional('workerName', fields.get('worker_id'), String),
    ...optional('startedAtMs', fields.get('started_at'), Number),
    ...optional('completedAtMs', fields.get('completed_at'), Number),
    ...optional('progress', fields.get('progress'), Number),
    ...optional('result', fields.get('result'), (value) => value),
    ...optional('error', fields.get('error'), String),
    ...optional('log', fields.get('log'), String),
  };
}

function optional<Name extends string, Value>(
  name: Name,
  value: Buffer | undefined,
  read: (value: Buffer) => Value,
): { readonly [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: read(value) } as { readonly [Key in Name]: Value });
}
