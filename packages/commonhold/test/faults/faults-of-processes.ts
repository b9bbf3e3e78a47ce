import { eventually, pause, waitUntil } from '../../src/testing/waiting.js';
import { expectThat, nowMs } from './cells.js';
import type { CallFault, Cell } from './fault.js';
import type { FaultWorld } from './fault-world.js';
import { canaryValue } from './probe.js';
import { WorkerProcess, type Workers } from './worker-process.js';

const jobs = 60;
const inFlight = 4;
/** Less than any lease. */
const atOnceMs = 1_000;
const atOnceOr = (sinceMs: number): 'OK' | 'LE' => (nowMs() - sinceMs < atOnceMs ? 'OK' : 'LE');

/** What happens to processes that use the library. */
export const faultsOfProcesses: readonly CallFault[] = [
  {
    id: 'F22',
    title: 'worker killed',
    how: 'SIGKILL of processes that write, hold and work',
    expected: { CA: 'LE', SE: 'OK', RL: 'OK', MA: 'OK', LO: 'LE TK', QU: 'LE', PS: 'OK', PR: 'LE', CN: 'OK', US: 'OK' },
    begin: (world) => endWorkers(world, 'SIGKILL'),
    cells: cellsAfter('SIGKILL'),
  },
  {
    id: 'F23',
    title: 'worker told to end',
    how: 'SIGTERM of processes that write, hold and work, which close their state',
    expected: {
      CA: 'OK LE',
      SE: 'OK',
      RL: 'OK',
      MA: 'OK',
      LO: 'OK TK',
      QU: 'OK',
      PS: 'OK',
      PR: 'OK',
      CN: 'OK',
      US: 'OK',
    },
    begin: (world) => endWorkers(world, 'SIGTERM'),
    cells: cellsAfter('SIGTERM'),
  },
  {
    id: 'F24',
    title: 'a job that kills its worker',
    how: 'one of 20 jobs ends its process, which is started anew each time',
    expected: { QU: 'LE EX' },
    cells: { QU: poison },
  },
];

interface Ended extends Workers {
  /** When the workers were told to end. */
  readonly endedAtMs: number;
  /** What was published and heard. */
  readonly heard: readonly number[];
}

async function endWorkers(world: FaultWorld, signal: 'SIGKILL' | 'SIGTERM'): Promise<Ended> {
  const queue = world.subject.queue<string>('q');
  await queue.addMany(Array.from({ length: jobs }, (_, n) => ({ data: `job ${n}` })));
  const heard: number[] = [];
  await world.subject.channel<number>('p').subscribe((n) => void heard.push(n));
  const workers = {
    writer: new WorkerProcess(world, 'writer'),
    holder: new WorkerProcess(world, 'holder'),
    jobs: new WorkerProcess(world, 'jobs'),
  };
  const all = Object.values(workers);
  await Promise.all(all.map((worker) => worker.ready()));
  world.sightings.secrets.add(workers.writer.sessionToken);
  await waitUntil('some work', () => workers.writer.written > 20 && workers.jobs.began.length > inFlight);
  const endedAtMs = nowMs();
  await Promise.all(all.map((worker) => worker.end(signal)));
  return { ...workers, endedAtMs, heard };
}

function cellsAfter(signal: 'SIGKILL' | 'SIGTERM'): CallFault['cells'] {
  return {
    CA: async (cell) => {
      const cache = cell.subject.cache<string>('c', { computeLease: '2s' });
      const value = await cache.getOrSet('k', () => canaryValue);
      const soon = nowMs() - endedOf(cell).endedAtMs < 6_000;
      expectThat(cell, value === canaryValue && soon, 'LE', 'what a dead process computed is not computed anew');
    },
    SE: async (cell) => {
      const { writer } = endedOf(cell);
      const { session } = await cell.subject.sessions<{ n: number }>('s').read(writer.sessionToken);
      expectAcknowledged(cell, session?.data.n ?? -1);
    },
    RL: async (cell) =>
      expectAcknowledged(cell, 100_000 - (await cell.subject.rateLimit('r', '100000 per day').peek('s')).remaining),
    MA: async (cell) => expectAcknowledged(cell, (await cell.subject.map<number>('m').get('n')) ?? -1),
    LO: async (cell) => {
      const { holder, endedAtMs } = endedOf(cell);
      const held = await cell.subject.lock('l', { lease: '2s' }).acquire({ wait: '5s' });
      if (held === undefined) return cell.sightings.wrong('LO', 'the lock of a dead process is not to be had');
      cell.sightings.note('LO', atOnceOr(endedAtMs));
      const map = cell.subject.map<number>('guarded');
      await map.set('x', 1, { guard: held.guard });
      const stale = { lock: 'l', token: holder.lockToken };
      const code = await map.set('x', 2, { guard: stale }).then(
        () => 'none',
        (error: { code: string }) => error.code,
      );
      expectThat(cell, code === 'StaleGuard', 'TK', 'a dead holder wrote');
    },
    QU: (cell) => expectJobs(cell, signal === 'SIGKILL'),
    PS: async (cell) => {
      const { heard, writer } = endedOf(cell);
      await waitUntil('what was published', () => heard.length >= writer.written);
      const whole = heard.every((n, index) => n === index + 1);
      expectThat(cell, whole, 'OK', 'a message is missing, or came twice');
    },
    PR: async (cell) => {
      const presence = cell.subject.presence('p');
      await eventually(async () => expectNone(await presence.members('r')), { timeoutMs: 17_000 });
      cell.sightings.note('PR', atOnceOr(endedOf(cell).endedAtMs));
    },
    CN: async (cell) => expectAcknowledged(cell, await cell.subject.counter('c').get()),
    US: async (cell) => expectAcknowledged(cell, await cell.subject.uniqueSet('u').count()),
  };
}

function endedOf(cell: Cell): Ended {
  return cell.shared as Ended;
}

// The last write may have been done without its answer.
function expectAcknowledged(cell: Cell, found: number): void {
  const { written } = endedOf(cell).writer;
  expectThat(
    cell,
    found === written || found === written + 1,
    'OK',
    `${found} is there, and ${written} was acknowledged`,
  );
}

function expectNone(members: readonly unknown[]): void {
  if (members.length > 0) throw new Error('a member of a dead process is still shown');
}

async function expectJobs(cell: Cell, killed: boolean): Promise<void> {
  const runs = new Map<string, number>();
  for (const id of endedOf(cell).jobs.began) runs.set(id, 1);
  const queue = cell.subject.queue<string>('q');
  queue.work(({ data }) => void runs.set(data, (runs.get(data) ?? 0) + 1), { concurrency: inFlight });
  await eventually(async () => expectCompleted(await queue.totals()), { timeoutMs: 9_000 });
  const twice = [...runs.values()].filter((count) => count > 1).length;
  const bound = killed ? inFlight : 0;
  if (runs.size !== jobs) cell.sightings.wrong('QU', `${runs.size} of ${jobs} jobs ran`);
  else expectThat(cell, twice <= bound, twice > 0 ? 'LE' : 'OK', `${twice} jobs ran twice`);
}

function expectCompleted({ completed }: { readonly completed: number }): void {
  if (completed < jobs) throw new Error(`${completed} of ${jobs} jobs completed`);
}

async function poison(cell: Cell): Promise<void> {
  const queue = cell.subject.queue<string>('q');
  const bad = await queue.add('poison');
  await queue.addMany(Array.from({ length: 19 }, (_, n) => ({ data: `job ${n}` })));
  let worker = new WorkerProcess(cell.world, 'jobs');
  let deaths = 0;
  const untilMs = nowMs() + 40_000;
  for (;;) {
    const { completed, failed } = await queue.totals();
    if (completed + failed === 20 || nowMs() > untilMs) break;
    if (worker.over) {
      deaths += 1;
      worker = new WorkerProcess(cell.world, 'jobs');
    }
    await pause(100);
  }
  const { completed, failed } = await queue.totals();
  expectThat(cell, completed === 19 && failed === 1, 'LE', `${completed} jobs completed and ${failed} failed`);
  const status = (await queue.get(bad.id))?.status;
  expectThat(cell, status === 'failed' && deaths <= 4, 'EX', `the job is ${status} after ${deaths} deaths`);
}
