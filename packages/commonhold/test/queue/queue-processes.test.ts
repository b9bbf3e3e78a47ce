import type { ChildProcess } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { QueueOptions } from '../../src/queue/queue-options.js';
import type { Queue } from '../../src/queue/queue.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';
import { ended, useWorkerProcesses, type WorkerTask } from './worker-processes.js';

interface Start {
  readonly id: string;
  readonly attempt: number;
  readonly atMs: number;
}

interface Kills {
  readonly atMs: readonly number[];
  readonly survivors: readonly ChildProcess[];
}

describe('a queue whose worker processes', { timeout: 60_000 }, () => {
  const server = useServer();
  const processes = useWorkerProcesses();
  const launch = (namespace: string, concurrency: number, options?: QueueOptions): Promise<ChildProcess> =>
    processes.start(server().url, namespace, concurrency, options);

  async function starts(namespace: string): Promise<Start[]> {
    const lines = (await server().command('LRANGE', `${namespace}:starts`, '0', '-1')) as string[];
    return lines.map((line) => {
      const [id = '', attempt, atMs] = line.split(' ');
      return { id, attempt: Number(attempt), atMs: Number(atMs) };
    });
  }

  async function withQueue(namespace: string, body: (queue: Queue<WorkerTask>) => Promise<void>): Promise<void> {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using state = await openState({ redis: server().url, namespace, log });
    await body(state.queue<WorkerTask>('q', { attempts: 1 }));
  }

  const whenAllEnded = (queue: Queue<WorkerTask>, total: number): Promise<void> =>
    eventually(
      async () => {
        const { completed, failed } = await queue.totals();
        expect(completed + failed).toBe(total);
      },
      { timeoutMs: 40_000, everyMs: 50 },
    );

  /**
   * Twice adds jobs and kills five of six workers at one moment. More often must not be: a job whose worker dies a third
   * time fails, as it should. Returns when they were killed, and those that still run.
   */
  async function killTwice(namespace: string, add: () => Promise<unknown>, options?: QueueOptions): Promise<Kills> {
    const survivor = await launch(namespace, 4, options);
    const atMs: number[] = [];
    for (let wave = 0; wave < 2; wave++) {
      const victims = await Promise.all([1, 2, 3, 4, 5].map(() => launch(namespace, 4, options)));
      await add();
      const running = (await starts(namespace)).length + 20;
      // Groups may be full until what died in them is taken over.
      await eventually(async () => expect((await starts(namespace)).length).toBeGreaterThan(running), {
        timeoutMs: 20_000,
      });
      atMs.push(Date.now());
      for (const victim of victims) victim.kill('SIGKILL');
    }
    return { atMs, survivors: [survivor, await launch(namespace, 4, options)] };
  }

  it.concurrent('H.4: are killed with -9 while they run loses nothing and goes on within 6 s', () =>
    withQueue('kills', async (queue) => {
      const total = 300;
      const jobs = Array.from({ length: total / 2 }, () => ({ data: { ms: 150 } }));
      const killed = await killTwice('kills', () => queue.addMany(jobs));
      await whenAllEnded(queue, total);
      expect(await queue.totals()).toEqual({ total, completed: total, failed: 0 });
      const all = await starts('kills');
      expect(new Set(all.map((start) => start.id)).size).toBe(total);
      expect(all.length - total).toBeGreaterThan(0);
      expect(all.length - total).toBeLessThanOrEqual(10 * 4);
      for (const again of all.filter((start) => start.attempt > 1)) {
        const before = all.find((start) => start.id === again.id && start.attempt === again.attempt - 1);
        // A worker may be killed before it has noted what it took.
        if (before === undefined) continue;
        const atMs = killed.atMs.find((ms) => ms >= before.atMs - 5);
        expect(again.atMs - (atMs ?? -Infinity)).toBeLessThan(6_000);
      }
      for (const worker of killed.survivors) worker.kill('SIGKILL');
    }));

  it.concurrent('are killed with -9 while they run jobs of bounded groups loses nothing and leaves no group behind', () =>
    withQueue('groups', async (queue) => {
      const total = 160;
      const jobs = Array.from({ length: total / 2 }, (_, n) => ({
        data: { ms: 100 },
        ...(n % 8 === 0 ? {} : { group: `g${n % 8}` }),
      }));
      const { survivors } = await killTwice('groups', () => queue.addMany(jobs), { groups: { concurrency: 2 } });
      await whenAllEnded(queue, total);
      expect(await queue.totals()).toEqual({ total, completed: total, failed: 0 });
      expect(new Set((await starts('groups')).map((start) => start.id)).size).toBe(total);
      const keys = (await server().command('KEYS', 'groups:queue:*')) as string[];
      expect(keys.filter((key) => /:(?:ring|fresh|again|gone|parked|running|grouped)\b/.test(key))).toEqual([]);
      for (const worker of survivors) worker.kill('SIGKILL');
    }));

  it.concurrent('are asked to stop runs nothing twice and leaves nothing lying', () =>
    withQueue('deploys', async (queue) => {
      const total = 400;
      const workers = await Promise.all([1, 2, 3].map(() => launch('deploys', 3)));
      // Quick ones have workers take jobs ahead, which must not stay with them.
      await queue.addMany(Array.from({ length: total }, (_, n) => ({ data: { ms: n % 10 === 0 ? 100 : n % 2 } })));
      for (let deploy = 0; deploy < 8; deploy++) {
        const old = workers[deploy % 3];
        old?.kill('SIGTERM');
        workers[deploy % 3] = await launch('deploys', 3);
        if (old) await ended(old);
      }
      await whenAllEnded(queue, total);
      const all = await starts('deploys');
      expect(all.map((start) => start.attempt)).toEqual(Array.from({ length: total }, () => 1));
      expect(new Set(all.map((start) => start.id)).size).toBe(total);
      for (const worker of workers) worker.kill('SIGKILL');
    }));

  it.concurrent('H.5: block for longer than a lease does the job elsewhere, and fails nothing', () =>
    withQueue('stalls', async (queue) => {
      const [stalling] = [await launch('stalls', 2), await launch('stalls', 2)];
      const added = await queue.addMany([
        { data: { stall: 7_000 } },
        ...[1, 2, 3, 4].map(() => ({ data: { ms: 20 } })),
      ]);
      const beganAtMs = Date.now();
      await whenAllEnded(queue, 5);
      expect(Date.now() - beganAtMs).toBeLessThan(6_500);
      const job = await queue.get(added[0]?.id ?? '');
      expect([job?.status, job?.attempts]).toEqual(['completed', 2]);
      await pause(3_000);
      expect(await queue.totals()).toEqual({ total: 5, completed: 5, failed: 0 });
      expect((await queue.get(added[0]?.id ?? ''))?.completedAtMs).toBe(job?.completedAtMs);
      stalling.kill('SIGKILL');
    }));

  it.concurrent('H.5: die of one job fails that one alone, after the third death', () =>
    withQueue('poison', async (queue) => {
      const workers = [await launch('poison', 3), await launch('poison', 3)];
      let running = true;
      const keepUp = workers.map(async (first) => {
        await ended(first);
        while (running) await ended(await launch('poison', 3));
      });
      const poison = await queue.add({ exit: true }, { priority: 9 });
      const innocent = await queue.addMany(Array.from({ length: 12 }, () => ({ data: { ms: 300 } })));
      await whenAllEnded(queue, 13);
      const job = await queue.get(poison.id);
      expect([job?.status, job?.attempts, job?.error]).toEqual([
        'failed',
        3,
        'Its worker died 3 times while running it',
      ]);
      for (const { id } of innocent) expect((await queue.get(id))?.status).toBe('completed');
      expect((await starts('poison')).filter((start) => start.id === poison.id)).toHaveLength(3);
      running = false;
      void keepUp;
    }));
});
