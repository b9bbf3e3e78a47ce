import { isCommonholdError } from '../../src/errors.js';
import type { Queue } from '../../src/queue/queue.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { pause } from '../../src/testing/waiting.js';
import { Crew, type CrewPlace } from './killed-crew.js';
import type { NotedTask } from './noting-workers.js';

const [jobsPerKill, backlog, poisons] = [100, 2_000, 10];

/** Who is killed, and how often. */
export interface KillPlace {
  readonly crew: CrewPlace;
  readonly server: RedisServer;
  readonly kills: number;
}

/** How workers were killed. */
export interface WorkerKills {
  /** When workers died, by their number: of the kills, and of poison. */
  readonly diedAtMs: ReadonlyMap<number, number>;
  /** Without the poisoned ones. */
  readonly jobs: number;
  readonly poisoned: ReadonlySet<string>;
  readonly ms: number;
}

/**
 * Adds 100 jobs for each kill, and kills a worker each time 100 are done; among them ten that end their worker themselves.
 * Resolves when every job has ended.
 */
export async function killWorkers(
  queue: Queue<NotedTask>,
  { crew: place, server, kills }: KillPlace,
): Promise<WorkerKills> {
  const [jobs, crew, poisoned] = [kills * jobsPerKill, new Crew(place), new Set<string>()];
  const beganAtMs = performance.now();
  await crew.start();
  let [added, killed, ended] = [0, 0, 0];
  while (ended < jobs + poisoned.size) {
    const { completed, failed } = await insist(() => queue.totals());
    ended = completed + failed;
    for (; added < jobs && added - completed < backlog; added += jobsPerKill) {
      const batch = Array.from({ length: jobsPerKill }, (_, n) => ({ data: { ms: 150 }, id: `job-${added + n}` }));
      await insist(() => queue.addMany(batch));
      if (added % (jobs / poisons) === 0) {
        const { id } = await insist(() => queue.add({ ms: 0, exit: true }, { id: `poison-${added}` }));
        poisoned.add(id);
      }
    }
    for (; killed < Math.min(kills, completed / jobsPerKill); killed++)
      await crew.killOne((worker) => runsLastAttempt(queue, server, worker));
    await pause(20);
  }
  crew.end();
  return { diedAtMs: crew.diedAtMs, jobs, poisoned, ms: performance.now() - beganAtMs };
}

/** Kills Redis about once a second while jobs are added and done. Resolves when every job whose add was answered has ended. */
export async function killRedis(
  queue: Queue<NotedTask>,
  { crew: place, server, kills }: KillPlace,
): Promise<{ readonly added: number; readonly ms: number }> {
  const crew = new Crew(place);
  await crew.start();
  const beganAtMs = performance.now();
  let [added, adding] = [0, true];
  const add = async (): Promise<void> => {
    for (; adding; added++) {
      await insist(() => queue.add({ ms: 20 }, { id: `job-${added}` }));
      await pause(5);
    }
  };
  const work = add();
  for (let kill = 0; kill < kills; kill++) {
    await pause(300 + Math.random() * 900);
    await server.restart();
  }
  adding = false;
  await work;
  while ((await insist(() => queue.totals())).completed < added) await pause(100);
  crew.end();
  return { added, ms: performance.now() - beganAtMs };
}

/** Whether the worker holds a job that would fail, as it should, with the third death of a worker. */
async function runsLastAttempt(queue: Queue<NotedTask>, server: RedisServer, worker: number): Promise<boolean> {
  const keys = (await server.command('KEYS', `*:held:w${worker}#*`)) as string[];
  const ids = await Promise.all(keys.map((key) => server.command('ZRANGE', key, '0', '-1')));
  const jobs = await Promise.all((ids.flat() as string[]).map((id) => insist(() => queue.get(id))));
  return jobs.some((job) => (job?.attempts ?? 0) > 2);
}

/** Calls until it is answered, as an application would that gives its jobs ids of their own. */
async function insist<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isCommonholdError(error) || !['OutcomeUnknown', 'Unavailable'].includes(error.code)) throw error;
      await pause(20);
    }
  }
}
