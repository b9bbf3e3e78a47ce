import { isCommonholdError } from '../../src/errors.js';
import type { AddedJob, JobBatch, QueueTurn, QueueTurnReply, QueueWorker } from '../../src/queue/queue-port.js';
import type { Queue } from '../../src/queue/queue.js';
import type { PortCall } from '../../src/testing/port-calls.js';
import type { RunningProcess } from '../../src/testing/simulation/simulated-process.js';
import type { ExecutedCall } from '../../src/testing/simulation/simulated-server.js';
import type { Simulation } from '../../src/testing/simulation/simulation.js';
import { type Protocol, rule } from './protocol.js';

interface Work {
  readonly number: number;
}

const attempts = 3;
/** A worker's death is no fault of the job, until it is the third. */
const mostStarts = attempts + 2;
const processes = ['a', 'b', 'c'];

/**
 * Three processes add jobs and work them. What was acknowledged is done or has failed in the end, no job ends twice, and
 * none is added twice.
 */
export const queueProtocol: Protocol = {
  name: 'queue',
  times: { faultyMs: 12_000, calmMs: 40_000 },
  begin(simulation) {
    const history = new History(simulation);
    for (const name of processes) simulation.process(name, (process) => addAndWork(process, simulation, history));
    simulation.process('judge', (process) => judge(process, simulation, history));
    return () => rule('everything settles', history.settled, () => history.unsettled);
  },
};

function open({ state }: RunningProcess): Queue<Work> {
  return state.queue<Work>('work', { attempts, backoff: { first: 100 } });
}

async function addAndWork(process: RunningProcess, simulation: Simulation, history: History): Promise<void> {
  const { chance } = process;
  const queue = open(process);
  queue.work(
    async () => {
      await process.sleep(chance.happens(0.95) ? chance.between(1, 300) : chance.between(500, 8_000));
      if (chance.happens(0.1)) throw new Error('a job that fails');
    },
    { concurrency: 2 },
  );
  while (!simulation.calm) {
    try {
      const number = history.next();
      const job = await queue.add(
        { number },
        { priority: chance.whole(4, 6), ...(chance.happens(0.2) && { delay: 500 }) },
      );
      history.acknowledged(job.id, number);
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
    await process.sleep(chance.until(600));
  }
}

async function judge(process: RunningProcess, simulation: Simulation, history: History): Promise<void> {
  const queue = open(process);
  for (;;) {
    await process.sleep(1_000);
    if (!simulation.calm || history.settled) continue;
    try {
      const { pending, delayed, processing } = await queue.counts();
      history.unsettled = `${pending} pending, ${delayed} delayed, ${processing} processing`;
      if (pending + delayed + processing > 0) continue;
      for (const id of history.open()) history.found(id, (await queue.get(id))?.status);
      history.settled = true;
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
  }
}

/** What the store saw, checked as it happens. */
class History {
  settled = false;
  unsettled = 'the judge had no answer';
  #number = 0;
  readonly #acknowledged = new Set<string>();
  /** Number of the work -> id of its job. */
  readonly #jobs = new Map<number, string>();
  /** Id of a job -> the last attempt that was given out, and to whom. */
  readonly #claims = new Map<string, { readonly attempt: number; readonly worker: string }>();
  readonly #ended = new Set<string>();

  constructor(simulation: Simulation) {
    simulation.onCall((call) => this.#look(call));
    simulation.onLoss((lost) => this.#forget(lost));
  }

  next(): number {
    return ++this.#number;
  }

  // It may have been lost between the store's answer and here.
  acknowledged(id: string, number: number): void {
    if (this.#jobs.get(number) === id) this.#acknowledged.add(id);
  }

  open(): string[] {
    return [...this.#acknowledged].filter((id) => !this.#ended.has(id));
  }

  found(id: string, status: string | undefined): void {
    rule('what was acknowledged is done', status === 'completed' || status === 'failed', () => `${id} is ${status}`);
  }

  #look({ operation, failed, args, reply }: ExecutedCall): void {
    if (failed) return;
    if (operation.name === 'queue.add') this.#added(args[1] as JobBatch, reply as readonly AddedJob[]);
    if (operation.name === 'queue.turn') {
      this.#turned(args[1] as QueueWorker, args[2] as QueueTurn, reply as QueueTurnReply);
    }
  }

  #added({ jobs }: JobBatch, added: readonly AddedJob[]): void {
    for (const [index, { id }] of added.entries()) {
      const number = numberOf(jobs[index]?.data);
      const before = this.#jobs.get(number) ?? id;
      rule('no job is added twice', before === id, () => `${number} is ${before} and ${id}`);
      this.#jobs.set(number, id);
    }
  }

  #turned(worker: QueueWorker, { ends }: QueueTurn, reply: QueueTurnReply): void {
    for (const [index, outcome] of reply.ends.entries()) {
      const end = ends[index];
      if (end === undefined || outcome !== 'done') continue;
      const claim = this.#claims.get(end.id);
      const isCurrent = claim === undefined || (claim.attempt === end.attempt && claim.worker === worker.id);
      rule(
        'only the present holder ends a job',
        isCurrent,
        () => `${worker.id} ended ${end.id}, attempt ${end.attempt}`,
      );
      // Given back, this attempt is somebody else's.
      if (end.kind === 'return') this.#claims.delete(end.id);
      if (end.kind !== 'complete' && end.kind !== 'fail') continue;
      rule('no job ends twice', !this.#ended.has(end.id), () => end.id);
      this.#ended.add(end.id);
    }
    for (const { id, attempt } of reply.jobs) this.#claimed(worker, id, attempt);
  }

  #claimed(worker: QueueWorker, id: string, attempt: number): void {
    const before = this.#claims.get(id);
    rule('a job that ended is not started', !this.#ended.has(id), () => id);
    rule('a job is started as often as it may be', attempt <= mostStarts, () => `${id}, attempt ${attempt}`);
    const grows = before === undefined || attempt > before.attempt;
    const again = before?.attempt === attempt && before.worker === worker.id;
    rule(
      'an attempt has one holder',
      grows || again,
      () => `${id}, attempt ${attempt}: ${before?.worker}, ${worker.id}`,
    );
    this.#claims.set(id, { attempt, worker: worker.id });
  }

  // Of a job that lost a part of its history nothing is known any more but that it must settle, if it is there.
  #forget(lost: readonly PortCall[]): void {
    for (const { operation, args } of lost) {
      if (operation.name === 'queue.add') {
        for (const { data } of (args[1] as JobBatch).jobs) {
          const number = numberOf(data);
          this.#acknowledged.delete(this.#jobs.get(number) ?? '');
          this.#jobs.delete(number);
        }
      }
    }
    if (lost.some(({ operation }) => operation.name === 'queue.turn')) {
      this.#claims.clear();
      this.#ended.clear();
    }
  }
}

function numberOf(data: unknown): number {
  return (JSON.parse(data as string) as Work).number;
}
