import assert from 'node:assert/strict';
import type { Ports } from '../backend/backend.js';
import type {
  AddedJob,
  ClaimedJob,
  JobEnd,
  JobFilter,
  NewJob,
  QueueAddress,
  QueueTurn,
  QueueTurnReply,
  QueueWorker,
} from '../queue/queue-port.js';
import type { Job } from '../queue/job-records.js';
import type { Queue } from '../queue/queue.js';
import { eventually } from './waiting.js';

/** Runs jobs one at a time until `count` have run; returns their data in the order they ran. */
export async function runAll<Data>(queue: Queue<Data>, count: number): Promise<Data[]> {
  const seen: Data[] = [];
  const worker = queue.work(({ data }) => void seen.push(data));
  await eventually(() => assert.equal(seen.length, count));
  await worker.close();
  return seen;
}

/** Waits until the job has `status`; returns it. */
export async function whenStatus<Data, Result>(
  queue: Queue<Data, Result>,
  id: string,
  status: string,
): Promise<Job<Data, Result>> {
  let job: Job<Data, Result> | undefined;
  await eventually(async () => {
    job = await queue.get(id);
    assert.equal(job?.status, status);
  });
  assert.ok(job);
  return job;
}

/** A queue called `name` with the options that a queue has by default. */
export function addressOf(name: string): QueueAddress {
  const kept = { keepCompletedMs: 3_600_000, keepFailedMs: 604_800_000 };
  return { name, documented: undefined, notices: false, ...kept, limits: undefined };
}

/** A compact job of priority 5. */
export const plainJob: NewJob = {
  id: undefined,
  priority: 5,
  group: undefined,
  delayMs: 0,
  topic: undefined,
  data: '1',
  options: '',
  fields: [],
  searchedBy: undefined,
};

/** A worker without handlers: takes turns when told to. */
export class PortWorker {
  readonly self: QueueWorker;
  readonly #ports: Ports;
  readonly #address: QueueAddress;
  #turns = 0;
  #batches = 0;

  constructor(ports: Ports, name: string, address: QueueAddress = addressOf('q')) {
    this.self = { id: `${name}:1`, name, leaseMs: 5_000 };
    this.#ports = ports;
    this.#address = address;
  }

  /** Adds jobs, of priority 5 and compact unless told otherwise. */
  add(...jobs: readonly Partial<NewJob>[]): Promise<readonly AddedJob[]> {
    const common = { ...plainJob, data: '0' };
    const batch = { adder: this.self.id, number: ++this.#batches, jobs: jobs.map((job) => ({ ...common, ...job })) };
    return this.#ports.queue.add(this.#address, batch);
  }

  /** Takes up to `free` jobs. The number is the next one unless told otherwise. */
  turn(free: number, turn: Partial<QueueTurn> = {}): Promise<QueueTurnReply> {
    const { number = ++this.#turns, ends = [], idle = true, known } = turn;
    return this.#ports.queue.turn(this.#address, this.self, { number, ends, free, idle, known });
  }

  /** Writes to the log of a job; returns whether it was this worker's. */
  log(id: string, attempt: number, ...lines: readonly string[]): Promise<boolean> {
    return this.#ports.queue.log(this.#address, this.self, id, attempt, lines);
  }

  /** Hands in how jobs ended, and takes none; returns which were refused. */
  async hand(...ends: readonly JobEnd[]): Promise<QueueTurnReply['ends']> {
    return (await this.turn(0, { ends })).ends;
  }
}

/** How a claimed job ended. */
export function endOf(
  { id, attempt }: ClaimedJob,
  kind: JobEnd['kind'],
  payload: JobEnd['payload'] = '',
  delayMs: number = 0,
): JobEnd {
  return { id, attempt, kind, payload, delayMs };
}

/** Jobs of any kind. */
export const anyJob: JobFilter = {
  status: undefined,
  topic: undefined,
  group: undefined,
  workerName: undefined,
  createdFromMs: undefined,
  createdToMs: undefined,
  endedFromMs: undefined,
  endedToMs: undefined,
  olderThanMs: 0,
  fields: [],
};
