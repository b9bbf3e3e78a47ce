import { handOut, storedBytes } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import {
  type ClaimedJob,
  type JobFilter,
  type JobStatus,
  mostLogBytes,
  mostLogLines,
  mostReplyBytes,
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
  readonly searchedBy: readonly string[] | undefined;
  /** When it came into its status. */
  sinceMs: number;
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
export function createRecord(id: string, { delayMs, fields: _fields, ...job }: NewJob, now: number): JobRecord {
  return {
    ...job,
    id,
    status: delayMs > 0 ? 'delayed' : 'pending',
    createdAtMs: now,
    sinceMs: now,
    attempts: 0,
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
  const { owner: _owner, deaths: _deaths, searchedBy: _searchedBy, sinceMs: _sinceMs, ...job } = record;
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

/** Whether all that `filter` gives applies to the job, as lua/filter.lua sees it. */
export function isInFilter(record: JobRecord, filter: JobFilter, now: number): boolean {
  const { status, topic, group, workerName, createdFromMs, createdToMs, endedFromMs, endedToMs, olderThanMs } = filter;
  const pairs = [
    [status, record.status],
    [topic, record.topic],
    [group, record.group],
    [workerName, record.workerName],
  ];
  if (pairs.some(([wanted, present]) => wanted !== undefined && wanted !== present)) return false;
  const latestEndMs = Math.min(endedToMs ?? Infinity, olderThanMs === 0 ? Infinity : now - olderThanMs);
  const anyEnd = endedFromMs === undefined && latestEndMs === Infinity;
  const { createdAtMs, completedAtMs = Number.NaN, searchedBy = [] } = record;
  if (!isWithin(createdAtMs, createdFromMs, createdToMs)) return false;
  if (!anyEnd && !isWithin(completedAtMs, endedFromMs, latestEndMs)) return false;
  return isPart(filter.fields, searchedBy);
}

function isWithin(ms: number, fromMs: number = -Infinity, toMs: number = Infinity): boolean {
  return ms >= fromMs && ms <= toMs;
}

function isPart(wanted: readonly string[], present: readonly string[]): boolean {
  const texts = new Map<string, string | undefined>();
  for (let at = 0; at < present.length; at += 2) texts.set(present[at] as string, present[at + 1]);
  return wanted.every((name, at) => at % 2 > 0 || texts.get(name) === wanted[at + 1]);
}

/** Gathers the jobs of a page, which is full at `limit` jobs or when it weighs as much as an answer may. */
export class JobPageBuilder {
  readonly jobs: StoredJob[] = [];
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.jobs.length >= this.#limit || this.#bytes >= mostReplyBytes;
  }

  add(record: JobRecord): void {
    this.jobs.push(storedJob(record));
    this.#bytes += record.data.length + (record.result?.length ?? 0);
  }
}
