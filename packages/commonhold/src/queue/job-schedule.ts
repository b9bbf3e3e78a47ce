import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { type NextTick, nextTick, type ScheduleTimes, sleepInNaps } from '../ticks.js';
import { isJobId } from './new-job.js';
import { type NewJob, type QueueAddress, type QueuePort, workerId } from './queue-port.js';

/** What a schedule is made of. */
export interface SchedulePlace {
  readonly address: QueueAddress;
  readonly port: QueuePort;
  readonly context: FeatureContext;
  /** Makes the job of a tick. */
  readonly createJob: (tickAtMs: number) => NewJob;
}

/** The store's clock is asked again after at most so long. */
const longestSleepMs = 60_000;
/** A tick that could not be added is given up after so long: within it the store knows which ticks were added. */
const lateMs = 300_000;
const againMs = 1_000;

/**
 * Adds a job at each tick of a schedule that every process has. The tick's time is the number of the batch, of which the
 * store adds one: so each tick is added once, whoever comes first. The store's clock says when.
 *
 * - waiting for the next tick, then adding its job until that has worked
 * - a tick that is missed, since the store was away, gives way to the next one when that has come, and is given up after
 *   5 minutes; ticks that pass while no process has the schedule are not made up for
 */
export class JobSchedule {
  readonly #name: string;
  readonly #place: SchedulePlace;
  readonly #next: NextTick;
  readonly #closing = new AbortController();
  readonly #stopped: Promise<void>;

  /** Use `queue.schedule`. @throws InvalidArgumentError naming what is wrong. */
  constructor(name: string, times: ScheduleTimes, place: SchedulePlace) {
    if (!isJobId(name)) {
      throw new InvalidArgumentError('schedule name', "1 to 128 letters, digits, '.', '_' or '-'", name);
    }
    this.#name = name;
    this.#place = place;
    this.#next = nextTick(times);
    this.#stopped = this.#run();
  }

  /** Ends it in this process; what it added stays. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#stopped;
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    let tickAtMs: number | undefined;
    while (!this.#closed) {
      try {
        const nowMs = await this.#place.port.now(this.#place.address);
        tickAtMs = this.#latest(tickAtMs ?? this.#next(nowMs), nowMs);
        if (tickAtMs > nowMs) await this.#sleep(Math.min(longestSleepMs, tickAtMs - nowMs));
        else {
          if (nowMs - tickAtMs < lateMs) await this.#add(tickAtMs);
          tickAtMs = this.#next(tickAtMs);
        }
      } catch (error) {
        if (isCommonholdError(error) && error.code === 'Closed') return;
        const fields = { queue: this.#place.address.name, schedule: this.#name, error: String(error) };
        this.#place.context.log.warn(fields, 'a schedule cannot add its job and tries again');
        await this.#sleep(againMs);
      }
    }
  }

  // Of several ticks that were missed only the last is made up for.
  #latest(tickAtMs: number, nowMs: number): number {
    let latest = nowMs - tickAtMs < lateMs ? tickAtMs : this.#next(nowMs - lateMs);
    for (let next = this.#next(latest); next <= nowMs; next = this.#next(next)) latest = next;
    return latest;
  }

  async #add(tickAtMs: number): Promise<void> {
    const { port, address, createJob } = this.#place;
    const batch = { adder: workerId('schedule', this.#name), number: tickAtMs / 1_000, jobs: [createJob(tickAtMs)] };
    try {
      await port.add(address, batch);
    } catch (error) {
      if (!isCommonholdError(error) || error.code !== 'QueuePaused') throw error;
    }
  }

  #sleep(ms: number): Promise<void> {
    return sleepInNaps(this.#place.context.clock, ms, this.#closing.signal);
  }
}
