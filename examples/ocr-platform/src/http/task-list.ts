import { problem } from '@commonhold/server';
import type { Job, JobStatus, Queue } from 'commonhold';
import type { Scan, ScanJob } from '../ocr-state.js';
import { taskDocument, type TaskDocument, type TaskStatus } from './task-document.js';

/** What `GET /tasks` asks for. */
export interface TaskQuery {
  readonly status: TaskStatus | undefined;
  readonly cursor: string | undefined;
  readonly limit: number;
}

/** One page; `cursor` is null on the last. */
export interface TaskPage {
  readonly tasks: readonly TaskDocument[];
  readonly cursor: string | null;
}

const statuses: readonly TaskStatus[] = ['pending', 'processing', 'completed', 'failed', 'cancelled'];
const standardLimit = 50;
const mostLimit = 200;
/** Before the cursor of a page of tasks that wait for another attempt. */
const delayedMark = 'd';

/** Reads the query string; 422 naming what is wrong. */
export function readTaskQuery(query: Readonly<Record<string, unknown>>): TaskQuery {
  const { status, cursor, limit = String(standardLimit) } = query;
  const known = statuses.find((one) => one === status);
  if (status !== undefined && known === undefined)
    throw problem(422, `"status" must be one of ${statuses.join(', ')}.`);
  if (cursor !== undefined && !(typeof cursor === 'string' && /^(?:\d{1,15}|d\d{0,15})$/.test(cursor))) {
    throw problem(422, '"cursor" must be the cursor of the page before.');
  }
  const count = typeof limit === 'string' && /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > mostLimit) throw problem(422, `"limit" must be a whole number from 1 to ${mostLimit}.`);
  return { status: known, cursor, limit: count };
}

/** The tasks of `userId`, newest first. */
export async function listTasks(tasks: Queue<ScanJob, Scan>, userId: string, query: TaskQuery): Promise<TaskPage> {
  const page = query.status === 'pending' ? await listPending(tasks, userId, query) : await list(tasks, userId, query);
  return { tasks: page.jobs.map(taskDocument), cursor: page.cursor ?? null };
}

interface Page {
  readonly jobs: readonly Job<ScanJob, Scan>[];
  readonly cursor?: string;
}

interface ListQuery {
  readonly status?: JobStatus | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

function list(tasks: Queue<ScanJob, Scan>, userId: string, { status, cursor, limit }: ListQuery): Promise<Page> {
  return tasks.list(userId, { limit, ...(status && { status }), ...(cursor && { cursor }) });
}

/** Tasks that were never started, then those that wait for another attempt, which are older but for their priority. */
async function listPending(tasks: Queue<ScanJob, Scan>, userId: string, { cursor, limit }: TaskQuery): Promise<Page> {
  const fresh: Page = cursor?.startsWith(delayedMark)
    ? { jobs: [] }
    : await list(tasks, userId, { status: 'pending', cursor, limit });
  if (fresh.cursor !== undefined) return fresh;
  if (fresh.jobs.length === limit) return { jobs: fresh.jobs, cursor: delayedMark };
  const delayedCursor = cursor?.startsWith(delayedMark) ? cursor.slice(delayedMark.length) : undefined;
  const rest = { status: 'delayed', cursor: delayedCursor, limit: limit - fresh.jobs.length } as const;
  const delayed = await list(tasks, userId, rest);
  const jobs = [...fresh.jobs, ...delayed.jobs];
  return delayed.cursor === undefined ? { jobs } : { jobs, cursor: `${delayedMark}${delayed.cursor}` };
}
