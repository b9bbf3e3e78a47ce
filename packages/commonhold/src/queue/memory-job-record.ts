import { handOut, storedBytes } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import {
  type ClaimedJob,
  type JobStatus,
  mostLogBytes,
  mostLogLines,
  type NewJob,
  type StoredJob,
} from './queue-port.js';

/** A job's record. Unlike on Redis every job has one from the start. */
export interface JobRecord {
  readonly id: string;
  status: JobStatus;
  readonly priority: number;
  readonly createdAtMs: number;
  attempts: number;
  readonly data: Stored;
  readonly options: string;
  readonly group: string | undefined;
  readonly topic: string | undefined;
  workerName: string | undefined;
  startedAtMs: number | undefined;
  completedAtMs: number | undefined;
  progress: number | undefined;
  result: Stored | undefined;
  error: string | undefined;
  log: string | undefined;
  owner: string | undefined;
  deaths: number;
}

/** Bytes that a record costs besides data, result and id. Measured, rounded up. */
const recordBytes = 400;

/** A new job's record. */
export function createRecord(
  id: string,
  { priority, data, options, group, topic, delayMs }: NewJob,
  now: number,
): JobRecord {
  return {
    id,
    status: delayMs > 0 ? 'delayed' : 'pending',
    priority,
    createdAtMs: now,
    attempts: 0,
    data,
    options,
    group,
    topic,
    ...unstarted,
    log: undefined,
    deaths: 0,
  };
}

const unstarted = {
  workerName: undefined,
  startedAtMs: undefined,
  completedAtMs: undefined,
  progress: undefined,
  result: undefined,
  error: undefined,
  owner: undefined,
};

/** Makes a failed job as it was before its first attempt. */
export function resetRecord(record: JobRecord): void {
  Object.assign(record, unstarted, { status: 'pending', attempts: 0, deaths: 0 });
}

/** What the record counts for in the store's bound. */
export function bytesOf({ data, result, log = '' }: JobRecord): number {
  return recordBytes + storedBytes(data) + (result === undefined ? 0 : storedBytes(result)) + storedBytes(log);
}

/** The job as a worker gets it. */
export function claimedJob({
  id,
  attempts,
  priority,
  createdAtMs,
  options,
  group,
  topic,
  data,
}: JobRecord): ClaimedJob {
  return { id, attempt: attempts, priority, createdAtMs, options, group, topic, data: handOut(data) };
}

/** The job as it is read, absent parts left out. */
export function storedJob(record: JobRecord): StoredJob {
  const { owner: _owner, deaths: _deaths, ...job } = record;
  const present = Object.entries(job).filter(([, value]) => value !== undefined);
  const copies = present.map(([name, value]) => [name, Buffer.isBuffer(value) ? handOut(value) : value]);
  return Object.fromEntries(copies) as StoredJob;
}

/** The log with `lines` of this moment appended, without what is too old to stay. */
export function appendedLog(log: string | undefined, lines: readonly string[], now: number): string {
  const all = [...(log ?? '').split('\n').filter((line) => line !== ''), ...lines.map((line) => `${now} ${line}`)];
  let first = all.length;
  let bytes = 0;
  while (first > 0 && all.length - first < mostLogLines) {
    const lineBytes = Buffer.byteLength(all[first - 1] as string);
    if (bytes + lineBytes >= mostLogBytes) break;
    first--;
    bytes += lineBytes + 1;
  }
  return all.slice(first).join('\n');
}
