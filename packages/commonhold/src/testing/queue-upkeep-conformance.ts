import assert from 'node:assert/strict';
import type { Queue } from '../queue/queue.js';
import type { EngineKind } from './engine.js';
import { runAll, whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

/** What keeping a queue in order must do on every twin: removing, sending again, emptying and pausing. */
export function queueUpkeepConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue upkeep', (test) => {
    /** Runs what waits; data above 0 fails. */
    const runOff = async (queue: Queue<number>, count: number): Promise<void> => {
      let ran = 0;
      const work = ({ data }: { data: number }): void => {
        ran++;
        if (data > 0) throw new Error('no luck');
      };
      const worker = queue.work(work, { concurrency: 50 });
      await eventually(() => assert.equal(ran, count));
      await worker.close();
    };
    const many = (count: number, data: number): { data: number }[] => Array.from({ length: count }, () => ({ data }));

    test('a job that ended can be removed, and its id used again', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 1 });
      await queue.addMany([
        { data: 0, id: 'good', topic: 't' },
        { data: 1, id: 'bad', topic: 't' },
        { data: 0, id: 'off' },
      ]);
      await queue.cancel('off');
      for (const id of ['good', 'bad', 'absent', 'no id', '']) assert.equal(await queue.remove(id), false, id);
      await runOff(queue, 2);
      for (const id of ['good', 'bad', 'off']) {
        assert.equal(await queue.remove(id), true, id);
        assert.equal(await queue.remove(id), false, id);
        assert.equal(await queue.get(id), undefined);
      }
      assert.deepEqual([(await queue.list('t')).jobs, (await queue.deadLetters()).jobs], [[], []]);
      assert.deepEqual(await queue.counts(), { pending: 0, delayed: 0, processing: 0, failed: 0 });
      assert.deepEqual(await queue.totals(), { total: 3, completed: 1, failed: 1 });
      assert.equal((await queue.add(0, { id: 'good' })).duplicate, false);
    });

    test('all failed jobs are sent again, with all their attempts, however many there are', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 1 });
      await queue.addMany(many(1_203, 1));
      await runOff(queue, 1_203);
      assert.equal((await queue.counts()).failed, 1_203);
      assert.equal(await queue.retryMany(), 1_203);
      assert.deepEqual(await queue.counts(), { pending: 1_203, delayed: 0, processing: 0, failed: 0 });
      await runOff(queue, 1_203);
      assert.equal((await queue.totals()).failed, 2_406);
      assert.equal(await queue.retryMany({ olderThan: '1h' }), 0);
    });

    test('failed jobs are sent again or removed by topic and by age', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 1 });
      const add = (ids: readonly string[], topic: string): Promise<unknown> =>
        queue.addMany(ids.map((id) => ({ data: 1, id, topic })));
      await add(['a1', 'a2'], 'a');
      await add(['b1'], 'b');
      await runOff(queue, 3);
      await engine.advance(10_000);
      await add(['a3'], 'a');
      await runOff(queue, 1);
      assert.equal(await queue.retryMany({ topic: 'a', olderThan: '5s' }), 2);
      assert.deepEqual([(await queue.get('a1'))?.status, (await queue.get('a3'))?.status], ['pending', 'failed']);
      assert.equal(await queue.removeMany({ status: 'failed', olderThan: '5s' }), 1);
      assert.equal(await queue.get('b1'), undefined);
      assert.equal(await queue.removeMany({ status: 'failed' }), 1);
      assert.deepEqual(await queue.counts(), { pending: 2, delayed: 0, processing: 0, failed: 0 });
      assert.equal(await queue.retryMany({ topic: 'absent' }), 0);
    });

    test('completed and cancelled jobs are removed by topic', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const ids = Array.from({ length: 700 }, (_, index) => `job-${index}`);
      await queue.addMany(ids.map((id, index) => ({ data: 0, id, topic: index % 7 === 0 ? 'other' : 't' })));
      await queue.cancel('job-1');
      await runOff(queue, 699);
      assert.equal(await queue.removeMany({ status: 'completed', topic: 't' }), 599);
      assert.deepEqual(
        (await queue.list('t')).jobs.map((job) => job.id),
        ['job-1'],
      );
      assert.equal(await queue.removeMany({ status: 'cancelled', topic: 't' }), 1);
      assert.equal((await queue.get('job-0'))?.status, 'completed');
    });

    test('what cannot be meant is refused', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const bad: (() => Promise<unknown>)[] = [
        () => queue.removeMany({ status: 'completed' }),
        () => queue.removeMany({ status: 'pending' as 'failed' }),
        () => queue.removeMany({ status: 'failed', olderThan: -1 }),
        () => queue.removeMany({ status: 'failed', older: 1 } as never),
        () => queue.retryMany({ status: 'completed' } as never),
        () => queue.retryMany({ topic: '' }),
        () => queue.pause('everything' as 'adding'),
      ];
      for (const call of bad) await assert.rejects(call(), { code: 'InvalidArgument' }, String(call));
    });

    test('draining removes what waits and nothing else', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 1 });
      await queue.add(1);
      await runOff(queue, 1);
      let finish: () => void = () => undefined;
      const running = await queue.add(0, { id: 'runs', priority: 10 });
      const worker = queue.work(() => new Promise<void>((resolve) => (finish = resolve)));
      await whenStatus(queue, running.id, 'processing');
      await queue.addMany(Array.from({ length: 1_300 }, (_, data) => ({ data, priority: data % 3 })));
      await queue.addMany([
        { data: 0, id: 'own', topic: 't' },
        { data: 0, id: 'off', topic: 't' },
        { data: 0, delay: '1h', topic: 't' },
      ]);
      await queue.cancel('off');
      assert.equal(await queue.drain(), 1_302);
      assert.deepEqual(await queue.counts(), { pending: 0, delayed: 0, processing: 1, failed: 1 });
      assert.deepEqual(
        (await queue.list('t')).jobs.map((job) => job.id),
        ['off'],
      );
      finish();
      await whenStatus(queue, 'runs', 'completed');
      await worker.close();
      assert.equal(await queue.drain(), 0);
      assert.equal((await queue.add(0, { id: 'own' })).duplicate, false);
      await queue.add(5);
      assert.deepEqual(await runAll(queue, 2), [0, 5]);
    });

    test('draining counts no job of an entry that was taken before', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const added = await queue.addMany(many(16, 0));
      await queue.cancel(added[15]?.id ?? '');
      let taken = 0;
      const worker = queue.work(() => {
        taken++;
        return new Promise<void>((resolve) => setImmediate(resolve)).then(() => queue.pause());
      });
      await eventually(() => assert.ok(taken >= 1));
      await worker.close();
      const { pending } = await queue.counts();
      assert.equal(await queue.drain(), pending);
      assert.equal((await queue.totals()).completed + pending, 15);
    });

    test('H.14: an obliterated queue is as if it had never been, and its neighbours stay', async (engine) => {
      const state = await engine.open();
      const queue = state.queue<number>('q', { attempts: 1 });
      const names = ['q*', 'q:job', 'Q', 'qq', '{q}', '*'];
      for (const name of names) await state.queue<number>(name).add(0, { id: 'x' });
      await queue.addMany([{ data: 0 }, { data: 0, id: 'own', topic: 't' }, { data: 1, id: 'bad' }]);
      await queue.add(0, { id: 'late', delay: '1h' });
      await runOff(queue, 3);
      await queue.pause();
      await queue.pause('adding');
      await queue.obliterate();
      assert.deepEqual(await queue.counts(), { pending: 0, delayed: 0, processing: 0, failed: 0 });
      assert.deepEqual(await queue.totals(), { total: 0, completed: 0, failed: 0 });
      assert.deepEqual((await queue.list('t')).jobs, []);
      for (const id of ['own', 'bad', 'late']) assert.equal(await queue.get(id), undefined, id);
      assert.equal((await queue.add(7, { id: 'own' })).duplicate, false);
      assert.deepEqual(await runAll(queue, 1), [7]);
      for (const name of names) assert.equal((await state.queue(name).get('x'))?.status, 'pending', name);
      const strange = state.queue<number>('*');
      await strange.obliterate();
      assert.equal((await queue.totals()).total, 1);
    });

    test('while adding is paused nothing is added, and what is there is worked off', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const other = (await engine.open()).queue<number>('q');
      await queue.add(1);
      await queue.pause('adding');
      await assert.rejects(other.add(2), { code: 'QueuePaused' });
      await assert.rejects(other.addMany([{ data: 2, id: 'own' }, { data: 3 }]), { code: 'QueuePaused' });
      assert.deepEqual(await queue.counts(), { pending: 1, delayed: 0, processing: 0, failed: 0 });
      assert.deepEqual(await runAll(queue, 1), [1]);
      await queue.pause();
      await queue.resume('adding');
      assert.equal((await other.add(2, { id: 'own' })).duplicate, false);
      assert.equal((await queue.counts()).pending, 1);
      await queue.resume();
      assert.deepEqual(await runAll(queue, 1), [2]);
    });
  });
}
