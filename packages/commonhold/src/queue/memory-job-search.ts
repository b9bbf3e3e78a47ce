import { isInFilter, JobPageBuilder, type JobRecord } from './memory-job-record.js';
import type { MemoryQueueStep } from './memory-queue-step.js';
import type { JobFilter, JobPage } from './queue-port.js';

/** A job that is meant, and where it stands among the others. */
export interface FoundJob {
  readonly record: JobRecord;
  readonly score: number;
}

/** As lua/search.lua; all records are looked at. */
export function searchSome(
  step: MemoryQueueStep,
  filter: JobFilter,
  cursor: string | undefined,
  limit: number,
): JobPage {
  const { score, id } = placeOf(cursor, Infinity, '');
  const page = new JobPageBuilder(limit);
  const found = findAll(step, filter).filter((job) => cursor === undefined || isBefore(job, score, id));
  for (const { record, score: last } of found.toReversed()) {
    page.add(record);
    if (page.full) return { jobs: page.jobs, cursor: `${last}-${record.id}` };
  }
  return { jobs: page.jobs, cursor: undefined };
}

/** The next jobs of a sweep that finds them by their fields, or by a status; oldest first. */
export function foundFrom(
  step: MemoryQueueStep,
  filter: JobFilter,
  cursor: string | undefined,
  most: number,
): { readonly ids: readonly string[]; readonly next: string | undefined } {
  const { score, id } = placeOf(cursor, -Infinity, '');
  const found = findAll(step, filter).filter((job) => !isBefore(job, score, id) && job.record.id !== id);
  const some = found.slice(0, most);
  const last = some.at(-1);
  const done = last === undefined || some.length < most;
  return { ids: some.map(({ record }) => record.id), next: done ? undefined : `${last.score}-${last.record.id}` };
}

// By when they came into their status where that alone is given, else by when they were added; then by id.
function findAll({ state, now }: MemoryQueueStep, filter: JobFilter): FoundJob[] {
  const bySince = filter.status !== undefined && filter.fields.length === 0;
  const found: FoundJob[] = [];
  for (const key of state.records.keys()) {
    const record = state.records.get(key);
    if (record?.searchedBy === undefined || !isInFilter(record, filter, now)) continue;
    found.push({ record, score: bySince ? record.sinceMs : record.createdAtMs });
  }
  return found.toSorted((a, b) => (isBefore(a, b.score, b.record.id) ? -1 : 1));
}

function placeOf(
  cursor: string | undefined,
  score: number,
  id: string,
): { readonly score: number; readonly id: string } {
  const [, at, last] = /^(\d+)-(.+)$/.exec(cursor ?? '') ?? [];
  return at === undefined || last === undefined ? { score, id } : { score: Number(at), id: last };
}

function isBefore({ record, score }: FoundJob, otherScore: number, otherId: string): boolean {
  return score < otherScore || (score === otherScore && record.id < otherId);
}
