import type { Stored } from '../codec/stored.js';
import { claimedJob, type JobRecord } from './memory-job-record.js';
import type { PriorityLine } from './memory-queue-state.js';
import { type MemoryQueueStep, rememberMs } from './memory-queue-step.js';
import {
  type ClaimedJob,
  type JobEnd,
  mostReplyBytes,
  type QueueTurn,
  type QueueTurnReply,
  type QueueWorker,
} from './queue-port.js';

const deathsUntilAlone = 2;
const deathsUntilFailed = 3;
const promotedAtOnce = 128;

/** One turn of one worker: the same state machine as lua/turn.lua, part by part. */
export class MemoryQueueTurn {
  readonly #step: MemoryQueueStep;
  readonly #worker: QueueWorker;
  readonly #turn: QueueTurn;
  readonly #jobs: ClaimedJob[] = [];
  #bytes = 0;
  #alone = false;
  #suspected = 0;
  /** Jobs that must run alone and may run now. */
  #runnable: readonly JobRecord[] = [];
  /** Groups one of whose jobs must run alone: it waits for others of its group to end, so no more of them are started. */
  readonly #heldBack = new Set<string>();
  /** How many of those stand in the ring of a priority. */
  readonly #notNow = new Map<number, number>();
  /** How many jobs the limits of the queue allow besides those handed over. */
  #capacity = Infinity;
  #handedOver = 0;
  #window = { fromMs: 0, starts: 0 };

  constructor(step: MemoryQueueStep, worker: QueueWorker, turn: QueueTurn) {
    this.#step = step;
    this.#worker = worker;
    this.#turn = turn;
  }

  run(): QueueTurnReply {
    const { state, now } = this.#step;
    const { id } = this.#worker;
    if (this.#turn.number <= (state.turns.get(id) ?? 0)) return this.#late();
    state.turns.set(id, this.#turn.number, 0, now + rememberMs);
    state.idle.delete(id);
    const ends = this.#turn.ends.map((end) => (this.#finish(end) ? 'done' : 'superseded'));
    for (const worker of state.leases.upTo(now - 1)) if (worker !== id) this.#takeOver(worker);
    this.#promote();
    this.#handOver();
    this.#readLimits();
    const drains = this.#claim();
    this.#noteStarts();
    this.#wake();
    this.#renew();
    return this.#reply(ends, drains);
  }

  // What comes after a later turn was given up by its worker, which would not learn what it holds.
  #late(): QueueTurnReply {
    const ends = this.#turn.ends.map(() => 'superseded' as const);
    const nothing = { alone: false, waitingForIdle: 0, paused: false, lookAgainMs: undefined, waitingWorkers: 0 };
    return { ends, jobs: [], ...nothing, cut: false, nowMs: 0 };
  }

  #reply(ends: QueueTurnReply['ends'], drains: boolean): QueueTurnReply {
    const { state, now } = this.#step;
    const cut = this.#bytes >= mostReplyBytes;
    const waits = this.#jobs.length < this.#turn.free && !this.#alone && !drains && !cut;
    if (waits) {
      state.idle.set(this.#worker.id, now + this.#worker.leaseMs);
      for (const gone of state.idle.upTo(now - 1)) state.idle.delete(gone);
    }
    return {
      ends,
      jobs: this.#jobs,
      alone: this.#alone,
      waitingForIdle: this.#turn.idle || drains ? this.#runnable.length : 0,
      paused: state.paused,
      lookAgainMs: this.#lookAgainMs(),
      waitingWorkers: waits ? state.idle.size : 0,
      cut,
      nowMs: now,
    };
  }

  // Returns whether this attempt was the worker's, and so its to end.
  #finish({ id, attempt, kind, payload, delayMs }: JobEnd): boolean {
    const record = this.#step.state.records.get(id);
    if (record?.status !== 'processing' || record.attempts !== attempt || record.owner !== this.#worker.id)
      return false;
    this.#release(record);
    this.#leaveGroup(record);
    if (kind === 'complete') this.#step.complete(record, payload);
    else if (kind === 'fail') this.#step.fail(record, textOf(payload));
    else if (kind === 'retry') {
      record.error = textOf(payload);
      this.#delay(record, delayMs);
    } else this.#return(record, delayMs);
    return true;
  }

  #return(record: JobRecord, delayMs: number): void {
    record.attempts--;
    record.startedAtMs = undefined;
    record.workerName = undefined;
    if (delayMs > 0) return this.#delay(record, delayMs);
    leave(record);
    this.#step.enqueueAgain(record, true);
  }

  #delay(record: JobRecord, delayMs: number): void {
    leave(record);
    record.status = 'delayed';
    record.sinceMs = this.#step.now;
    this.#step.state.delayed.set(record.id, this.#step.now + delayMs);
  }

  #release(record: JobRecord): void {
    const held = this.#step.state.held.get(this.#worker.id);
    held?.delete(record);
    if (held?.size === 0) this.#step.state.held.delete(this.#worker.id);
  }

  // Last ones first, so that the first stands in front.
  #takeOver(worker: string): void {
    const { state } = this.#step;
    for (const record of [...(state.held.get(worker) ?? [])].toReversed()) this.#lose(record);
    state.held.delete(worker);
    state.leases.delete(worker);
  }

  #lose(record: JobRecord): void {
    this.#leaveGroup(record);
    record.deaths++;
    if (record.deaths >= deathsUntilFailed) {
      return this.#step.fail(record, `Its worker died ${record.deaths} times while running it`);
    }
    leave(record);
    if (record.deaths < deathsUntilAlone) return this.#step.enqueueAgain(record, true);
    record.status = 'pending';
    record.sinceMs = this.#step.now;
    this.#step.state.suspects.pushFirst(record);
    this.#suspected++;
  }

  #promote(): void {
    const { delayed, records } = this.#step.state;
    if (delayed.size === 0) return;
    for (const id of delayed.upTo(this.#step.now, promotedAtOnce)) {
      delayed.delete(id);
      const record = records.get(id);
      if (record !== undefined) this.#step.enqueueAgain(record, false);
    }
  }

  // After a lost answer: what the worker holds without knowing is given to it once more.
  #handOver(): void {
    if (this.#turn.known === undefined) return;
    const known = new Set(this.#turn.known);
    for (const record of this.#step.state.held.get(this.#worker.id) ?? []) {
      if (known.has(record.id) || this.#bytes >= mostReplyBytes) continue;
      if (record.deaths >= deathsUntilAlone) this.#alone = true;
      this.#handOut(record);
    }
  }

  #leaveGroup({ group }: JobRecord): void {
    if (group !== undefined) this.#step.state.groups.leave(group);
  }

  #roomIn(group: string): number {
    const bound = this.#step.queue.limits?.runningInGroup ?? 0;
    return bound === 0 ? Infinity : bound - this.#step.state.groups.running(group);
  }

  // As count_runnable of lua/alone.lua.
  #readSuspects(): void {
    const suspects = [...this.#step.state.suspects];
    const bounded = (this.#step.queue.limits?.runningInGroup ?? 0) > 0;
    this.#runnable = suspects.filter(({ group }) => group === undefined || this.#roomIn(group) > 0);
    this.#heldBack.clear();
    for (const { group } of suspects) if (bounded && group !== undefined) this.#heldBack.add(group);
  }

  // Returns whether this worker takes nothing until it is free for a job that must run alone.
  #claim(): boolean {
    const { paused, suspects } = this.#step.state;
    if (suspects.length > 0) this.#readSuspects();
    if (paused || !this.#hasRoom()) return false;
    const [record] = this.#runnable;
    if (this.#turn.idle && this.#jobs.length === 0 && record !== undefined) {
      suspects.remove(record);
      this.#start(record);
      this.#alone = true;
      this.#readSuspects();
    }
    const drains = this.#mustDrain();
    if (!this.#alone && !drains) this.#claimLines();
    return drains;
  }

  // One worker at a time: if all of them waited, a job that runs for hours would hold up the queue.
  #mustDrain(): boolean {
    const { state, now } = this.#step;
    if (this.#runnable.length === 0 || this.#turn.idle) return false;
    const { drainer } = state;
    if (drainer !== undefined && drainer !== this.#worker.id && (state.leases.score(drainer) ?? -1) >= now)
      return false;
    state.drainer = this.#worker.id;
    return true;
  }

  #claimLines(): void {
    for (let priority = 10; priority >= 0; priority--) {
      const line = this.#step.line(priority);
      this.#claimInTurns(priority, line);
      if (line.count === 0) continue;
      let taken = 0;
      for (let record = this.#next(line); record !== undefined; record = this.#next(line)) {
        this.#start(record);
        taken++;
      }
      line.add(-taken);
      if (!this.#hasRoom()) return;
    }
  }

  // As lua/take-turns.lua.
  #claimInTurns(priority: number, line: PriorityLine): void {
    const { groups } = this.#step.state;
    const notNow: string[] = [];
    while (this.#hasRoom()) {
      const group = groups.next(priority);
      if (group === undefined) break;
      if (group === '') this.#claimUngrouped(line);
      else if (this.#heldBack.has(group)) notNow.push(group);
      else this.#claimOfGroup(priority, group);
    }
    for (const group of notNow) groups.join(priority, group);
    this.#notNow.set(priority, notNow.length);
  }

  #claimUngrouped(line: PriorityLine): void {
    if (line.count === 0) return;
    const record = line.shift();
    if (record !== undefined) this.#start(record);
    line.add(-1);
  }

  #claimOfGroup(priority: number, group: string): void {
    const { groups } = this.#step.state;
    if (this.#roomIn(group) <= 0) return groups.park(priority, group);
    const record = groups.shift(priority, group);
    if (record !== undefined) this.#start(record);
    groups.goOn(priority, group, this.#roomIn(group) <= 0);
  }

  #next(line: { shift(): JobRecord | undefined }): JobRecord | undefined {
    return this.#hasRoom() ? line.shift() : undefined;
  }

  #hasRoom(): boolean {
    return this.#jobs.length < Math.min(this.#turn.free, this.#capacity) && this.#bytes < mostReplyBytes;
  }

  #start(record: JobRecord): void {
    const { held, groups } = this.#step.state;
    if (record.group !== undefined) groups.start(record.group);
    record.attempts++;
    record.status = 'processing';
    record.sinceMs = this.#step.now;
    record.owner = this.#worker.id;
    record.workerName = this.#worker.name;
    record.startedAtMs = this.#step.now;
    const own = held.get(this.#worker.id);
    if (own === undefined) held.set(this.#worker.id, new Set([record]));
    else own.add(record);
    this.#handOut(record);
  }

  #handOut(record: JobRecord): void {
    this.#bytes += record.data.length;
    this.#jobs.push(claimedJob(record));
  }

  // One worker is woken for what this one leaves, and wakes the next. Jobs that must run alone are told of once.
  #wake(): void {
    const { state } = this.#step;
    if (state.idle.size === 0) return;
    const limited = this.#capacity <= this.#jobs.length - this.#handedOver;
    if (!state.paused && !limited && this.#somethingReady()) this.#step.wake(1);
    this.#step.wake(this.#suspected - (this.#alone ? 1 : 0));
  }

  #somethingReady(): boolean {
    const { lines, groups } = this.#step.state;
    return lines.some((line, priority) => line.count > 0 || groups.ready(priority) > (this.#notNow.get(priority) ?? 0));
  }

  #renew(): void {
    const { state, now } = this.#step;
    if (state.held.has(this.#worker.id)) state.leases.set(this.#worker.id, now + this.#worker.leaseMs);
    else state.leases.delete(this.#worker.id);
  }

  // As lua/limits.lua.
  #readLimits(): void {
    const { queue, state, now } = this.#step;
    this.#handedOver = this.#jobs.length;
    if (queue.limits === undefined) return;
    const { running, starts, windowMs } = queue.limits;
    this.#window = now < state.window.fromMs + windowMs ? state.window : { fromMs: now, starts: 0 };
    const held = state.leases.members().reduce((sum, worker) => sum + (state.held.get(worker)?.size ?? 0), 0);
    const capacity = Math.min(
      running > 0 ? running - held : Infinity,
      starts > 0 ? starts - this.#window.starts : Infinity,
    );
    this.#capacity = Math.max(0, capacity);
  }

  #noteStarts(): void {
    const started = this.#jobs.length - this.#handedOver;
    if (this.#step.queue.limits === undefined || started === 0) return;
    // The window begins with the first start.
    this.#window.starts += started;
    this.#step.state.window = this.#window;
  }

  #windowEndsAtMs(): number {
    const { starts = 0, windowMs = 0 } = this.#step.queue.limits ?? {};
    return starts > 0 && this.#window.starts >= starts ? this.#window.fromMs + windowMs : Infinity;
  }

  #lookAgainMs(): number | undefined {
    const { delayed, leases } = this.#step.state;
    const due = delayed.lowest();
    const other = leases.lowest(this.#worker.id);
    const dueAtMs = due === undefined ? Infinity : (delayed.score(due) ?? Infinity);
    // Alive includes the last millisecond.
    const endsAtMs = other === undefined ? Infinity : (leases.score(other) ?? Infinity) + 1;
    const first = Math.min(dueAtMs, endsAtMs, this.#windowEndsAtMs());
    return first === Infinity ? undefined : Math.max(0, first - this.#step.now);
  }
}

function leave(record: JobRecord): void {
  record.owner = undefined;
  record.progress = undefined;
}

function textOf(payload: Stored): string {
  return payload.toString();
}
