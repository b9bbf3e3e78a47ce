import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';
import type { JobEnd } from '../../src/queue/queue-port.js';
import { redisEngine } from '../../src/testing/engine.js';
import { addressOf, endOf, PortWorker, whenStatus } from '../../src/testing/queue-runs.js';
import { useServer } from '../engines.js';

describe('a queue whose store is full', () => {
  const server = useServer();
  beforeEach(() => server().command('CONFIG', 'SET', 'maxmemory', '0'));

  it('takes no jobs, and goes on with those it has', async () => {
    const engine = await redisEngine(server()).start();
    const ports = await engine.ports();
    const queue = (await engine.open()).queue<number>('q', { attempts: 1 });
    const worker = new PortWorker(ports, 'w');
    await worker.add({}, {}, {}, { id: 'own' }, { id: 'late', delayMs: 60_000 }, {}, {});
    const taken = (await worker.turn(3)).jobs;
    const kinds = ['complete', 'fail', 'retry'] as const;
    const ends = taken.map((job, index): JobEnd => endOf(job, kinds[index] ?? 'return', '"x"', 10));
    const failed = ends[1]?.id ?? '';
    const before = await queue.totals();
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    await expect(queue.add(1)).rejects.toMatchObject({ code: 'Overloaded' });
    await expect(queue.add(1, { id: 'other', topic: 't' })).rejects.toMatchObject({ code: 'Overloaded' });
    await expect(queue.add(1, { delay: '1s' })).rejects.toMatchObject({ code: 'Overloaded' });
    expect(await queue.totals()).toEqual(before);
    const turn = await worker.turn(3, { ends });
    expect([turn.ends, turn.jobs.length]).toEqual([['done', 'done', 'done'], 3]);
    const running = turn.jobs[0]?.id ?? '';
    expect(await ports.queue.renew(addressOf('q'), worker.self, [running, 'none'])).toEqual(['none']);
    expect(await queue.cancel(running)).toBe('processing');
    expect(await queue.cancel('late')).toBe('delayed');
    expect(await queue.retry(failed)).toBe(true);
    expect(await queue.cancel(failed)).toBe('pending');
    await queue.pause();
    await queue.resume();
    expect(await queue.counts()).toEqual({ pending: 0, delayed: 1, processing: 2, failed: 0 });
    await engine.advance(6_000);
    expect((await new PortWorker(ports, 'other').turn(9)).jobs.length).toBe(3);
    await server().command('CONFIG', 'SET', 'maxmemory', '0');
    expect((await queue.add(1)).duplicate).toBe(false);
    await engine.close();
  });

  it('lets compact jobs that wait be cancelled', async () => {
    const engine = await redisEngine(server()).start();
    const queue = (await engine.open()).queue<number>('q');
    const added = await queue.addMany([{ data: 1 }, { data: 2 }]);
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    for (const { id } of added) expect(await queue.cancel(id)).toBe('pending');
    await server().command('CONFIG', 'SET', 'maxmemory', '0');
    expect((await queue.counts()).pending).toBe(0);
    await engine.close();
  });

  it('in memory adds all of a batch or none, and ends every job', async () => {
    const memory = createMemoryStore({ maxBytes: 400_000 });
    const state = await openState({ memory });
    const queue = state.queue<string, string>('q', { notices: true });
    const { id } = await queue.add('first', { topic: 't' });
    const large = 'x'.repeat(100_000);
    const jobs = ['a', 'b', 'c', 'd'].map((name) => ({ data: large, id: name, topic: name }));
    await expect(queue.addMany(jobs)).rejects.toMatchObject({ code: 'Overloaded' });
    expect(await queue.totals()).toEqual({ total: 1, completed: 0, failed: 0 });
    for (const job of jobs) expect(await queue.get(job.id)).toBeUndefined();
    expect((await queue.counts()).pending).toBe(1);
    await queue.add(large, { id: 'fits' });
    await queue.add(large, { id: 'fits-too' });
    const worker = queue.work(({ data }) => (data === 'first' ? 'x'.repeat(300_000) : 'short'));
    await whenStatus(queue, 'fits-too', 'completed');
    expect(await queue.totals()).toEqual({ total: 3, completed: 3, failed: 0 });
    // There was no room for its result, so its record made room instead.
    expect(await queue.get(id)).toBeUndefined();
    await worker.close();
    await state.close();
    memory.close();
  });
});
