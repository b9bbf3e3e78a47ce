import { isInFilter, type JobRecord, resetRecord } from './memory-job-record.js';
import { foundFrom } from './memory-job-search.js';
import type { PriorityLine } from './memory-queue-state.js';
import type { MemoryQueueStep } from './memory-queue-step.js';
import type { DrainStep, JobFilter, JobStatus, Sweep, SweepStep } from './queue-port.js';

/** Makes a failed job pending again, with all its attempts. */
export function resend(step: MemoryQueueStep, record: JobRecord): void {
  step.state.dead.delete(record.id);
  resetRecord(record);
  step.state.records.expire(record.id, Infinity);
  if (record.topic !== undefined) step.joinTopic(record.topic);
  step.enqueueAgain(record, false);
}

/** As lua/remove.lua. */
export function removeEnded(step: MemoryQueueStep, id: string): boolean {
  const record = step.state.records.get(id);
  if (record === undefined || !isEnded(record.status)) return false;
  forget(step, record);
  return true;
}

/** As lua/sweep.lua. */
export function sweepSome(step: MemoryQueueStep, sweep: Sweep, cursor: string | undefined, most: number): SweepStep {
  const { ids, next } = meantFrom(step, sweep.filter, cursor, most);
  let changed = 0;
  for (const id of ids) {
    const record = step.state.records.get(id);
    if (record === undefined || !isInFilter(record, sweep.filter, step.now)) continue;
    if (sweep.change === 'retry') resend(step, record);
    else forget(step, record);
    changed++;
  }
  if (sweep.change === 'retry') step.wake(changed);
  return { changed, cursor: next };
}

/** As lua/drain.lua. */
export function drainSome(step: MemoryQueueStep, most: number): DrainStep {
  const { delayed, suspects, records, lines, groups } = step.state;
  let removed = 0;
  for (const id of delayed.members(most)) {
    const record = records.get(id);
    delayed.delete(id);
    if (record === undefined) continue;
    drop(step, record);
    removed++;
  }
  removed += drainLine(step, { shift: () => suspects.shift(), add: () => undefined }, most - removed);
  groups.unparkAll();
  for (const [index, line] of lines.toReversed().entries()) {
    removed += drainGroups(step, lines.length - 1 - index, most - removed);
    removed += drainLine(step, line, most - removed);
  }
  return { removed, more: removed >= most };
}

function drainLine(step: MemoryQueueStep, line: Pick<PriorityLine, 'shift' | 'add'>, most: number): number {
  let removed = 0;
  while (removed < most) {
    const record = line.shift();
    if (record === undefined) break;
    drop(step, record);
    removed++;
  }
  line.add(-removed);
  return removed;
}

function drainGroups(step: MemoryQueueStep, priority: number, most: number): number {
  const { groups } = step.state;
  let removed = 0;
  while (removed < most) {
    const group = groups.next(priority);
    if (group === undefined) break;
    if (group !== '') removed += drainLine(step, groups.line(priority, group), most - removed);
    if (group !== '') groups.goOn(priority, group, false);
  }
  return removed;
}

// A job that waits.
function drop(step: MemoryQueueStep, record: JobRecord): void {
  const { records, topics } = step.state;
  records.delete(record.id);
  step.tellAwaiting(record.id);
  if (record.topic === undefined) return;
  topics.get(record.topic)?.ids.delete(record.id);
  step.leaveTopic(record.topic);
}

function forget({ state }: MemoryQueueStep, { id, topic }: JobRecord): void {
  state.records.delete(id);
  state.dead.delete(id);
  if (topic !== undefined) state.topics.get(topic)?.ids.delete(id);
}

/** Whether a job of this status runs no more. */
export function isEnded(status: JobStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

interface SomeIds {
  readonly ids: readonly string[];
  readonly next: string | undefined;
}

function meantFrom(step: MemoryQueueStep, filter: JobFilter, cursor: string | undefined, most: number): SomeIds {
  if (filter.fields.length > 0) return foundFrom(step, filter, cursor, most);
  if (filter.topic !== undefined) return topicFrom(step, filter.topic, cursor, most);
  return filter.status === 'failed' ? failedFrom(step, cursor, most) : foundFrom(step, filter, cursor, most);
}

function topicFrom({ state }: MemoryQueueStep, topic: string, cursor: string | undefined, most: number): SomeIds {
  const all = [...(state.topics.get(topic)?.ids ?? [])];
  const found = all.filter(([, sequence]) => cursor === undefined || sequence > Number(cursor)).slice(0, most);
  return { ids: found.map(([id]) => id), next: found.length < most ? undefined : String(found.at(-1)?.[1]) };
}

// Those that fail after the first step of a sweep are left alone, so that there is an end.
function failedFrom({ state: { dead }, now }: MemoryQueueStep, cursor: string | undefined, most: number): SomeIds {
  const [, beganAtMs = now, failedAtMs, last = ''] = /^(\d+)-(\d+)-(.+)$/.exec(cursor ?? '') ?? [];
  const members = dead.members();
  // A job that was sent again may have failed again since: then it stands elsewhere.
  const rank = dead.score(last) === Number(failedAtMs) ? members.indexOf(last) : -1;
  const start = failedAtMs === undefined || rank >= 0 ? rank + 1 : dead.size - dead.countFrom(Number(failedAtMs));
  const found = members.slice(start, start + most);
  const ids = found.filter((id) => (dead.score(id) ?? Infinity) <= Number(beganAtMs));
  const end = found.at(-1);
  const done = end === undefined || ids.length < most;
  return { ids, next: done ? undefined : `${beganAtMs}-${dead.score(end)}-${end}` };
}
