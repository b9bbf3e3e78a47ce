import { JobLine } from './job-line.js';
import type { JobRecord } from './memory-job-record.js';

/** Jobs of one group and one priority that wait. Cancelled ones keep their places, and are passed over. */
class GroupLine {
  readonly again: JobLine<JobRecord> = new JobLine();
  readonly fresh: JobLine<JobRecord> = new JobLine();

  get empty(): boolean {
    return this.again.length + this.fresh.length === 0;
  }

  shift(): JobRecord | undefined {
    for (;;) {
      const record = this.again.shift() ?? this.fresh.shift();
      if (record === undefined || record.status === 'pending') return record;
    }
  }
}

/** Where a job goes in the line of its group. */
export type GroupPlace = 'fresh' | 'again' | 'first';

/** The groups of a queue, as lua/group.lua keeps them: those with a job to give take turns in a ring for each priority. */
export class JobGroups {
  readonly #rings: readonly JobLine<string>[] = Array.from({ length: 11 }, () => new JobLine<string>());
  /** Jobs that really wait, by priority. */
  readonly #counts: number[] = Array.from({ length: 11 }, () => 0);
  /** By priority, a colon, and group. */
  readonly #lines = new Map<string, GroupLine>();
  readonly #running = new Map<string, number>();
  /** Groups that run as many jobs as they may, and the priorities in which they wait for one to end. */
  readonly #parked = new Map<string, number[]>();

  /** How many jobs wait in groups. */
  get waiting(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  running(group: string): number {
    return this.#running.get(group) ?? 0;
  }

  isParked(group: string): boolean {
    return this.#parked.has(group);
  }

  /** How many groups of a priority could give a job. */
  ready(priority: number): number {
    return Math.max(0, this.#ring(priority).length - 1);
  }

  /** Puts a job into the line of its group, which joins the ring if it was empty. */
  push(group: string, record: JobRecord, place: GroupPlace): void {
    const { priority } = record;
    const key = `${priority}:${group}`;
    const line = this.#lines.get(key) ?? new GroupLine();
    if (line.empty) this.join(priority, group);
    this.#lines.set(key, line);
    if (place === 'fresh') line.fresh.push(record);
    else if (place === 'first') line.again.pushFirst(record);
    else line.again.push(record);
    this.#count(priority, 1);
  }

  /** Says that a job in the line of its group was cancelled. */
  withdraw(priority: number): void {
    this.#count(priority, -1);
  }

  /** Puts a group at the end of the ring; behind the first one goes '', which stands for the jobs without a group. */
  join(priority: number, group: string): void {
    const ring = this.#ring(priority);
    ring.push(group);
    if (ring.length === 1) ring.push('');
  }

  /** Takes the member whose turn it is out of the ring. '' is not taken out while there are others. */
  next(priority: number): string | undefined {
    const ring = this.#ring(priority);
    const group = ring.shift();
    if (group === '' && ring.length > 0) ring.push('');
    return group;
  }

  /** The next job of a group, if it has one. */
  shift(priority: number, group: string): JobRecord | undefined {
    const record = this.#lines.get(`${priority}:${group}`)?.shift();
    if (record !== undefined) this.#count(priority, -1);
    return record;
  }

  /** The line of a group as something to take from. */
  line(priority: number, group: string): { shift(): JobRecord | undefined; add(count: number): void } {
    return { shift: () => this.shift(priority, group), add: () => undefined };
  }

  /** After its turn: back into the ring, or out of the round while it runs as many jobs as it may. */
  goOn(priority: number, group: string, atItsBound: boolean): void {
    const key = `${priority}:${group}`;
    if (this.#lines.get(key)?.empty !== false) this.#lines.delete(key);
    else if (atItsBound) this.park(priority, group);
    else this.join(priority, group);
  }

  /** Takes a group, which is not in the ring any more, out of the round. */
  park(priority: number, group: string): void {
    this.#parked.set(group, [...(this.#parked.get(group) ?? []), priority]);
  }

  start(group: string): void {
    this.#running.set(group, this.running(group) + 1);
  }

  /** Says that a job of the group runs no more; returns whether the group comes back into the round. */
  leave(group: string): boolean {
    const left = this.running(group) - 1;
    if (left > 0) this.#running.set(group, left);
    else this.#running.delete(group);
    return this.#unpark(group);
  }

  /** Puts all groups back into the ring. */
  unparkAll(): void {
    for (const group of [...this.#parked.keys()]) this.#unpark(group);
  }

  #unpark(group: string): boolean {
    const priorities = this.#parked.get(group);
    this.#parked.delete(group);
    for (const priority of priorities ?? []) this.join(priority, group);
    return priorities !== undefined;
  }

  #ring(priority: number): JobLine<string> {
    return this.#rings[priority] as JobLine<string>;
  }

  #count(priority: number, change: number): void {
    this.#counts[priority] = (this.#counts[priority] ?? 0) + change;
  }
}
