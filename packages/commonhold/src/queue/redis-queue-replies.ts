import type { ClaimedJob, JobPage, QueueTurnReply } from './queue-port.js';
import { findRecord } from './stored-record.js';

/** What turn.lua returns: numbers and bytes as its header says. */
export type TurnAnswer = [
  refused: number[],
  jobs: Buffer[],
  alone: number,
  waitingForIdle: number,
  paused: number,
  lookAgainMs: number,
  waitingWorkers: number,
  cut: number,
  nowMs: number,
];

/** What list.lua and dead-letters.lua return. */
export type PageAnswer = [cursor: Buffer, rows: [id: Buffer, record: Buffer[]][]];

/** Reads the answer to a turn with `endCount` ends; null for a turn that came after a later one. */
export function readTurn(endCount: number, answer: TurnAnswer | null): QueueTurnReply {
  if (answer === null) return readTurn(endCount, [allOf(endCount), [], 0, 0, 0, -1, 0, 0, 0]);
  const [refused, jobs, alone, waitingForIdle, paused, lookAgainMs, waitingWorkers, cut, nowMs] = answer;
  const ends = Array.from<unknown, 'done' | 'superseded'>({ length: endCount }, () => 'done');
  for (const place of refused) ends[place - 1] = 'superseded';
  return {
    ends,
    jobs: readJobs(jobs),
    alone: alone === 1,
    waitingForIdle,
    paused: paused === 1,
    lookAgainMs: lookAgainMs < 0 ? undefined : lookAgainMs,
    waitingWorkers,
    cut: cut === 1,
    nowMs,
  };
}

/** Reads a page of jobs. Records that cannot be read are left out. */
export function readPage([cursor, rows]: PageAnswer): JobPage {
  const jobs = rows.map(([id, record]) => findRecord(id.toString(), record)).filter((job) => job !== undefined);
  return { jobs, cursor: cursor.length === 0 ? undefined : cursor.toString() };
}

function allOf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function readJobs(parts: readonly Buffer[]): ClaimedJob[] {
  const jobs: ClaimedJob[] = [];
  for (let at = 0; at < parts.length; at += 2) jobs.push(readJob(String(parts[at]), parts[at + 1] as Buffer));
  return jobs;
}

function readJob(head: string, data: Buffer): ClaimedJob {
  const [id = '', attempt, line = '', createdAtMs, options = '', ...topic] = head.split('\n');
  // A group stands behind the priority and a colon, and may hold colons.
  const [, priority, group] = /^(\d+)(?::(.+))?$/.exec(line) ?? [];
  return {
    id,
    attempt: Number(attempt),
    priority: Number(priority),
    createdAtMs: Number(createdAtMs),
    options,
    group,
    topic: topic.length === 1 && topic[0] === '' ? undefined : topic.join('\n'),
    data,
  };
}
