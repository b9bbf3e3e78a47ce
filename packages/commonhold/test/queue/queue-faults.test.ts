import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { OpenOptions } from '../../src/options.js';
import type { AddOptions } from '../../src/queue/new-job.js';
import type { QueueOptions } from '../../src/queue/queue-options.js';
import type { Queue } from '../../src/queue/queue.js';
import type { JobAborted } from '../../src/queue/running-job.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

/** How often each job ran, by its data. */
class Runs {
  readonly counts = new Map<number, number>();
  readonly attempts: number[] = [];

  note(n: number, attempt: number): void {
    this.counts.set(n, (this.counts.get(n) ?? 0) + 1);
    this.attempts.push(attempt);
  }

  /** Expects that each of `total` jobs ran once, at its first attempt. */
  expectOnce(total: number): void {
    expect([...this.counts].filter(([, count]) => count > 1)).toEqual([]);
    expect(this.counts.size).toBe(total);
    expect(this.attempts.filter((attempt) => attempt > 1)).toEqual([]);
  }
}

describe('a queue under faults', { timeout: 60_000 }, () => {
  const server = useServer();
  const states: SharedState[] = [];
  let proxy: FaultProxy;

  beforeEach(async () => {
    await server().command('FLUSHALL');
    proxy = await startFaultProxy({ port: server().port });
  });
  afterEach(async () => {
    await proxy.pass();
    await Promise.all(states.splice(0).map((state) => state.close()));
    await proxy.stop();
  });

  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  async function open(port: number, options: QueueOptions = {}, more: OpenOptions = {}): Promise<Queue<number>> {
    const state = await openState({ redis: `redis://127.0.0.1:${port}`, namespace: 'faults', log, ...more });
    states.push(state);
    return state.queue<number>('q', { attempts: 1, groups: { concurrency: 100 }, ...options });
  }
  /** Every other one in a group, of which there are three. */
  const groupOf = (n: number): { group?: string } => (n % 2 === 0 ? {} : { group: `g${n % 3}` });
  const numbers = (count: number): ({ data: number } & AddOptions)[] =>
    Array.from({ length: count }, (_, data) => ({ data, ...groupOf(data) }));
  const whenCompleted = (queue: Queue<number>, count: number): Promise<void> =>
    eventually(async () => expect(await queue.totals()).toEqual({ total: count, completed: count, failed: 0 }), {
      timeoutMs: 20_000,
      everyMs: 50,
    });
  /** Does `fault` every so often until `work` is done. */
  async function meanwhile(everyMs: number, fault: () => unknown, work: Promise<unknown>): Promise<void> {
    let working = true;
    const stop = (): void => void (working = false);
    work.then(stop, stop);
    while (working) {
      await pause(everyMs);
      await fault();
    }
    await work;
  }

  it('runs every job once when Redis stands still for 3 s under load', async () => {
    const queues = await Promise.all([1, 2, 3].map(() => open(server().port)));
    const [first] = queues;
    const runs = new Runs();
    let aborted = 0;
    for (const queue of queues) {
      queue.work(
        async ({ data, attempt }, { signal }) => {
          runs.note(data, attempt);
          await pause(data % 3 === 0 ? 1_500 : 20);
          if (signal.aborted) aborted++;
        },
        { concurrency: 8 },
      );
    }
    await first?.addMany(numbers(150));
    await pause(300);
    server().pause();
    await pause(3_000);
    server().resume();
    if (first) await whenCompleted(first, 150);
    runs.expectOnce(150);
    expect(aborted).toBe(0);
  });

  it('H.4: neither forgets nor repeats a job when answers to its workers are lost', async () => {
    const [queue, through] = [await open(server().port), await open(proxy.port)];
    const runs = new Runs();
    await queue.addMany(numbers(400));
    const worker = through.work(
      async ({ data, attempt }) => {
        runs.note(data, attempt);
        if (data % 10 > 0) await pause(25);
      },
      { concurrency: 3 },
    );
    await meanwhile(300, () => proxy.dropReplyThenReset(), whenCompleted(queue, 400));
    expect(proxy.connections.total).toBeGreaterThan(8);
    runs.expectOnce(400);
    await proxy.pass();
    await worker.close();
    expect(await queue.counts()).toEqual({ pending: 0, delayed: 0, processing: 0, failed: 0 });
    const keys = (await server().command('KEYS', 'faults:queue:*')) as string[];
    expect(keys.filter((key) => /:(?:ring|fresh|parked|running|grouped)\b/.test(key))).toEqual([]);
  });

  it('H.1: adds a job once when answers to its adder are lost', async () => {
    const [queue, through] = [await open(server().port), await open(proxy.port)];
    let known = 0;
    let unknown = 0;
    const addAll = async (): Promise<void> => {
      for (let n = 0; n < 400; n++) {
        await pause(5);
        await through.add(n, groupOf(n)).then(
          () => known++,
          async (error: { code: string }) => {
            if (error.code === 'OutcomeUnknown') unknown++;
            else n--;
            await pause(5);
          },
        );
      }
    };
    await meanwhile(150, () => proxy.dropReplyThenReset(), addAll());
    expect(proxy.connections.total).toBeGreaterThan(8);
    // Most were asked for again in time.
    expect(unknown).toBeLessThan(proxy.connections.total / 2);
    const { total } = await queue.totals();
    expect(total).toBeGreaterThanOrEqual(known);
    expect(total).toBeLessThanOrEqual(known + unknown);
    const runs = new Runs();
    queue.work(({ data, attempt }) => runs.note(data, attempt), { concurrency: 10 });
    await whenCompleted(queue, total);
    runs.expectOnce(total);
  });

  it('is not disturbed when its scripts are thrown away all the time', async () => {
    const queues = await Promise.all([1, 2].map(() => open(server().port)));
    const runs = new Runs();
    for (const queue of queues) {
      queue.work(({ data, attempt }) => pause(1).then(() => runs.note(data, attempt)), { concurrency: 5 });
    }
    const [first] = queues;
    const adding = async (): Promise<void> => {
      for (let n = 0; n < 600; n += 10) {
        await first?.addMany(Array.from({ length: 10 }, (_, k) => ({ data: n + k })));
        await pause(5);
      }
      if (first) await whenCompleted(first, 600);
    };
    await meanwhile(3, () => server().command('SCRIPT', 'FLUSH'), adding());
    runs.expectOnce(600);
  });

  it('H.5: tells a handler before its lease ends that it is cut off, and refuses what it hands in later', async () => {
    const [cut, free] = [await open(proxy.port), await open(server().port)];
    const { id } = await free.add(1);
    let aborted: { readonly afterMs: number; readonly why: string } | undefined;
    const worker = cut.work(async (_, { signal }) => {
      const sinceMs = performance.now();
      signal.addEventListener('abort', () => {
        aborted = { afterMs: performance.now() - sinceMs, why: (signal.reason as JobAborted).why };
      });
      await pause(8_000);
    });
    await eventually(async () => expect((await free.get(id))?.status).toBe('processing'));
    proxy.blackhole();
    const cutAtMs = performance.now();
    let takenAfterMs = 0;
    free.work(() => {
      takenAfterMs = performance.now() - cutAtMs;
    });
    await whenCompleted(free, 1);
    expect(aborted?.why).toBe('lease');
    // Renewed less than a second before the cut, and told half a second before the end.
    expect(aborted?.afterMs).toBeLessThan(5_000);
    expect(takenAfterMs).toBeGreaterThan(3_500);
    expect(takenAfterMs).toBeLessThan(6_000);
    const taken = await free.get(id);
    await proxy.pass();
    await worker.close({ grace: '9s' });
    expect(await free.get(id)).toEqual(taken);
    expect(await free.totals()).toEqual({ total: 1, completed: 1, failed: 0 });
  });

  it('H.21: closes in time with handlers that never end and Redis away, and gives nothing up for lost', async () => {
    const [through, free] = [await open(proxy.port), await open(server().port)];
    await free.addMany(numbers(3));
    const worker = through.work(() => new Promise<void>(() => undefined), { concurrency: 2 });
    await eventually(() => expect(worker.running).toBe(2));
    proxy.refuse();
    const sinceMs = performance.now();
    const closed = worker.close({ grace: 100 });
    await pause(1_800);
    // Just before it gives up it may reach Redis again; what it cannot hand in must stay with its lease.
    await Promise.all([proxy.pass(), closed]);
    expect(performance.now() - sinceMs).toBeLessThan(3_600);
    const runs = new Runs();
    free.work(({ data }) => runs.note(data, 1), { concurrency: 3 });
    await whenCompleted(free, 3);
    runs.expectOnce(3);
  });

  it('takes jobs from a server that comes back empty', async () => {
    const queue = await open(server().port);
    const runs = new Runs();
    const worker = queue.work(({ data }) => pause(data).then(() => runs.note(data, 1)), { concurrency: 2 });
    await queue.addMany([{ data: 1_000 }, { data: 1_001 }, { data: 1_002 }]);
    await eventually(() => expect(worker.running).toBe(2));
    await server().restart();
    await eventually(async () => void (await queue.add(5)));
    await eventually(async () => expect(await queue.totals()).toEqual({ total: 1, completed: 1, failed: 0 }));
    await worker.close();
    expect([...runs.counts.keys()].toSorted((a, b) => a - b)).toEqual([5, 1_000, 1_001]);
  });
});
