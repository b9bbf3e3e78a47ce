import assert from 'node:assert/strict';
import type { EngineKind } from './engine.js';
import { runAll, whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually, pause } from './waiting.js';

/** What every queue twin must do with jobs: adding, order, reading, cancelling, keeping and counting. */
export function queueConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue', (test) => {
    test('a job is run, its result kept, its record readable all the way', async (engine) => {
      const queue = (await engine.open()).queue<{ n: number }, { twice: number }>('q');
      const { id, duplicate, accepted } = await queue.add({ n: 2 });
      assert.deepEqual([duplicate, accepted], [false, 'stored']);
      const waiting = await queue.get(id);
      assert.deepEqual(
        [waiting?.status, waiting?.data, waiting?.priority, waiting?.attempts],
        ['pending', { n: 2 }, 5, 0],
      );
      queue.work(({ data }) => ({ twice: 2 * data.n }));
      const done = await whenStatus(queue, id, 'completed');
      assert.deepEqual([done.result, done.attempts, done.error], [{ twice: 4 }, 1, undefined]);
      assert.ok((done.completedAtMs ?? 0) >= (done.startedAtMs ?? Infinity));
    });

    test('higher priorities first, first in first out within one', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const priorities = [5, 0, 10, 5, 7, 10, 0, 5, 10];
      await queue.addMany(priorities.map((priority, data) => ({ data, priority })));
      assert.deepEqual(await runAll(queue, 9), [2, 5, 8, 4, 0, 3, 7, 1, 6]);
    });

    test('hundreds of jobs added at once keep their order', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const numbers = Array.from({ length: 300 }, (_, n) => n);
      await Promise.all(numbers.map((n) => queue.add(n, n % 3 === 0 ? { id: `own-${n}` } : {})));
      assert.equal((await queue.counts()).pending, 300);
      assert.deepEqual(await runAll(queue, 300), numbers);
    });

    test('jobs are spread over workers of several processes, each run once', async (engine) => {
      const states = await Promise.all([engine.open(), engine.open(), engine.open()]);
      const seen: number[] = [];
      for (const state of states) {
        state.queue<number>('q').work(({ data }) => void seen.push(data), { concurrency: 4 });
      }
      await states[0].queue<number>('q').addMany(Array.from({ length: 200 }, (_, data) => ({ data })));
      await eventually(async () => assert.equal((await states[0].queue('q').totals()).completed, 200));
      assert.equal(new Set(seen).size, 200);
      assert.equal(seen.length, 200);
    });

    test('a job of a known id is not added again while it is kept', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { keepCompleted: '10s' });
      const first = await queue.add(1, { id: 'a' });
      assert.deepEqual([first.id, first.duplicate], ['a', false]);
      assert.equal((await queue.add(2, { id: 'a' })).duplicate, true);
      assert.deepEqual(await runAll(queue, 1), [1]);
      assert.equal((await queue.add(3, { id: 'a' })).duplicate, true);
      await engine.advance(11_000);
      assert.equal((await queue.add(4, { id: 'a' })).duplicate, false);
      assert.equal((await queue.totals()).total, 2);
    });

    test('a delayed job waits for its time', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      const { id } = await queue.add('late', { delay: '10s' });
      await queue.add('now');
      const seen: string[] = [];
      const worker = queue.work(({ data }) => void seen.push(data));
      await eventually(() => assert.deepEqual(seen, ['now']));
      assert.equal((await queue.get(id))?.status, 'delayed');
      await engine.advance(9_000);
      assert.deepEqual(seen, ['now']);
      await engine.advance(1_500);
      await eventually(() => assert.deepEqual(seen, ['now', 'late']));
      await worker.close();
    });

    test('a failed job can be sent again, with all its attempts', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { attempts: 1 });
      let good = false;
      const { id } = await queue.add('x');
      queue.work(({ attempt }) => {
        if (!good) throw new Error('not yet');
        assert.equal(attempt, 1);
      });
      await whenStatus(queue, id, 'failed');
      good = true;
      assert.equal(await queue.retry(id), true);
      await whenStatus(queue, id, 'completed');
      assert.equal(await queue.retry(id), false);
      assert.equal((await queue.deadLetters()).jobs.length, 0);
    });

    test('names do not meet, whatever they are made of', async (engine) => {
      const state = await engine.open();
      const names = ['q', 'q:', 'q*', 'q:stream', '{q}', '%71', 'ä q', 'x'.repeat(600)];
      for (const name of names) await state.queue<string>(name).add(name);
      for (const name of names) assert.deepEqual(await runAll(state.queue<string>(name), 1), [name]);
      assert.throws(() => state.queue(''), { code: 'InvalidArgument' });
    });

    test('data comes back as it was given', async (engine) => {
      const queue = (await engine.open()).queue<unknown>('q');
      const values = [null, '', 0, false, [], {}, new Map([['a', new Set([1n])]]), 'ä\n\u0000', 'x'.repeat(600_000)];
      const bytes = Buffer.from([0, 10, 255, 13, 10]);
      const added = await queue.addMany([...values, bytes].map((data) => ({ data })));
      for (const [index, { id }] of added.entries()) {
        assert.deepEqual((await queue.get(id))?.data, [...values, bytes][index]);
      }
      assert.deepEqual(await runAll(queue, 10), [...values, bytes]);
    });

    test('ids that nobody was given lead nowhere', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const { id } = await queue.add(1);
      const drawn = '9'.repeat(30);
      const odd = [
        '',
        '*',
        '5',
        `${id}0`,
        `0${id}`,
        `0${id}`,
        `6${id.slice(1)}`,
        `5-${drawn}-0-0`,
        `5-1-${drawn}-0`,
        '5-0-0-99',
        '5-0-1-0',
      ];
      for (const other of [...odd, `${id.slice(0, id.lastIndexOf('-'))}-7`, 'x'.repeat(5_000), '\ud800']) {
        assert.equal(await queue.get(other), undefined, other);
        assert.equal(await queue.cancel(other), undefined, other);
        assert.equal(await queue.retry(other), false, other);
      }
      assert.equal((await queue.get(id))?.status, 'pending');
      await assert.rejects(queue.add(2, { id }), { code: 'InvalidArgument' });
      await queue.add(2, { id: '2026-01-31-7' });
    });

    test('a cancelled job is not run, and others are', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const added = await queue.addMany([{ data: 0 }, { data: 1, id: 'own' }, { data: 2, delay: '1s' }, { data: 3 }]);
      const ids = added.map((job) => job.id);
      assert.deepEqual(await Promise.all(ids.slice(0, 3).map((id) => queue.cancel(id))), [
        'pending',
        'pending',
        'delayed',
      ]);
      assert.equal(await queue.cancel(ids[0] ?? ''), 'cancelled');
      assert.equal(await queue.cancel('absent'), undefined);
      assert.equal((await queue.get(ids[0] ?? ''))?.status, 'cancelled');
      assert.deepEqual(await runAll(queue, 1), [3]);
      await engine.advance(2_000);
      assert.deepEqual(await queue.counts(), { pending: 0, delayed: 0, processing: 0, failed: 0 });
    });

    test('an id that was cancelled while it waited and added again has its new place in line', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { keepCompleted: 0 });
      await queue.add('old', { id: 'a' });
      await queue.add('b');
      for (const text of ['older', 'new']) {
        assert.equal(await queue.cancel('a'), 'pending');
        assert.equal(await queue.get('a'), undefined);
        await queue.add(text, { id: 'a' });
      }
      await queue.add('c', { id: 'c' });
      assert.equal((await queue.counts()).pending, 3);
      assert.deepEqual(await runAll(queue, 3), ['b', 'new', 'c']);
      assert.deepEqual(await queue.counts(), { pending: 0, delayed: 0, processing: 0, failed: 0 });
    });

    test('cancelling every waiting job leaves a queue that works', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const added = await queue.addMany(Array.from({ length: 20 }, (_, data) => ({ data })));
      for (const { id } of added) assert.equal(await queue.cancel(id), 'pending');
      await queue.add(99);
      assert.deepEqual(await runAll(queue, 1), [99]);
    });

    test('records are kept as long as the queue says', async (engine) => {
      const options = { keepCompleted: '10s', keepFailed: '20s', attempts: 1 } as const;
      const queue = (await engine.open()).queue<boolean>('q', options);
      const [good, bad] = await queue.addMany([{ data: true }, { data: false }]);
      queue.work(({ data }) => {
        if (!data) throw new Error('bad');
      });
      await whenStatus(queue, good?.id ?? '', 'completed');
      await whenStatus(queue, bad?.id ?? '', 'failed');
      await engine.advance(11_000);
      assert.equal(await queue.get(good?.id ?? ''), undefined);
      assert.equal((await queue.get(bad?.id ?? ''))?.status, 'failed');
      await engine.advance(11_000);
      assert.equal(await queue.get(bad?.id ?? ''), undefined);
      assert.equal((await queue.deadLetters()).jobs.length, 0);
      assert.equal((await queue.counts()).failed, 0);
    });

    test('records of completed jobs may be kept not at all', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { keepCompleted: 0 });
      const { id } = await queue.add(1);
      assert.deepEqual(await runAll(queue, 1), [1]);
      assert.equal(await queue.get(id), undefined);
      assert.equal((await queue.totals()).completed, 1);
    });

    test('a paused queue gives nothing out and takes jobs; resumed, it goes on in order', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      await queue.pause();
      const seen: number[] = [];
      const worker = queue.work(({ data }) => void seen.push(data));
      await queue.addMany([
        { data: 1, priority: 1 },
        { data: 9, priority: 9 },
        { data: 2, priority: 1 },
      ]);
      await pause(50);
      assert.deepEqual(seen, []);
      await queue.resume();
      await eventually(() => assert.deepEqual(seen, [9, 1, 2]));
      await worker.close();
    });

    test('the jobs of a topic are listed newest first, by page and by status', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      await queue.addMany(Array.from({ length: 7 }, (_, data) => ({ data, topic: 'user:1' })));
      await queue.add(100, { topic: 'user:2' });
      const first = await queue.list('user:1', { limit: 3 });
      assert.deepEqual(
        first.jobs.map((job) => job.data),
        [6, 5, 4],
      );
      const second = await queue.list('user:1', { limit: 3, cursor: first.cursor ?? '' });
      const third = await queue.list('user:1', { limit: 3, cursor: second.cursor ?? '' });
      assert.deepEqual(
        [...second.jobs, ...third.jobs].map((job) => job.data),
        [3, 2, 1, 0],
      );
      assert.equal(third.cursor, undefined);
      await queue.cancel(first.jobs[0]?.id ?? '');
      assert.deepEqual(
        (await queue.list('user:1', { status: 'cancelled' })).jobs.map((job) => job.data),
        [6],
      );
      assert.deepEqual((await queue.list('nobody')).jobs, []);
    });

    test('a topic does not show what an id of its own became for another topic', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { keepCompleted: 0, keepFailed: '1h' });
      await queue.add('mine', { id: 'a', topic: 'ada' });
      await queue.add('also mine', { topic: 'ada' });
      await queue.cancel('a');
      await queue.add('not hers', { id: 'a', topic: 'bob' });
      assert.deepEqual(
        (await queue.list('ada')).jobs.map((job) => job.data),
        ['also mine'],
      );
    });

    test('failed jobs are listed newest first, by page, while some are sent again', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 1 });
      queue.work(() => assert.fail());
      for (let n = 0; n < 7; n++) {
        const { id } = await queue.add(n, { id: `job-${n}` });
        await whenStatus(queue, id, 'failed');
        await engine.advance(10);
      }
      await queue.pause();
      const first = await queue.deadLetters({ limit: 3 });
      await queue.retry('job-6');
      await queue.retry('job-4');
      const second = await queue.deadLetters({ limit: 3, cursor: first.cursor ?? '' });
      const third = await queue.deadLetters({ limit: 3, cursor: second.cursor ?? '' });
      const numbers = [first, second, third].map((page) => page.jobs.map((job) => job.data));
      assert.deepEqual(numbers, [[6, 5, 4], [3, 2, 1], [0]]);
      assert.deepEqual([third.cursor, (await queue.counts()).failed], [undefined, 5]);
    });

    test('notices tell those who listen, in order, and can be replayed', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { notices: true, attempts: 1 });
      const listener = (await engine.open()).queue<string>('q', { notices: true, attempts: 1 });
      const heard: string[] = [];
      await listener.notices('ada').subscribe((notice) => void heard.push(`${notice.type} ${notice.status}`));
      const { id } = await queue.add('good', { topic: 'ada' });
      await queue.add('bad', { topic: 'ada' });
      await queue.add('bad', { topic: 'bob' });
      queue.work(({ data }) => {
        if (data === 'bad') throw new Error('bad');
      });
      await eventually(() => assert.deepEqual(heard, ['completed completed', 'failed failed']));
      const { messages } = await listener.notices('ada').history();
      assert.deepEqual([messages.length, messages[0]?.message.job, messages[0]?.message.topic], [2, id, 'ada']);
      await eventually(async () => assert.equal((await listener.notices().history()).messages.length, 3));
    });

    test('bad input is refused, naming it, and nothing is added', async (engine) => {
      const state = await engine.open();
      const queue = state.queue<unknown>('q');
      for (const priority of [11, -1, 1.5, Number.NaN, 'high' as unknown as number]) {
        await assert.rejects(queue.add(1, { priority }), {
          code: 'InvalidArgument',
          message: /job priority: expected/,
        });
      }
      for (const id of ['', 'a:b', 'x'.repeat(129), 'ä']) {
        await assert.rejects(queue.add(1, { id }), { code: 'InvalidArgument' });
      }
      await assert.rejects(queue.add(1, { topic: '' }), { code: 'InvalidArgument' });
      await assert.rejects(queue.add(1, { delay: -1 }), { code: 'InvalidArgument' });
      await assert.rejects(queue.add('x'.repeat(2 ** 20 + 1)), { code: 'ValueTooLarge' });
      await assert.rejects(queue.addMany([{ data: 1 }, { data: 1, priority: 99 }]), { code: 'InvalidArgument' });
      await assert.rejects(queue.list('t', { cursor: 'x' }), { code: 'InvalidArgument' });
      await assert.rejects(queue.deadLetters({ cursor: '1' }), { code: 'InvalidArgument' });
      await assert.rejects(queue.daily(0), { code: 'InvalidArgument' });
      assert.throws(() => state.queue('q', { attempts: 0 }), { code: 'InvalidArgument' });
      assert.throws(() => queue.work(() => undefined, { concurrency: 0 }), { code: 'InvalidArgument' });
      assert.deepEqual(await queue.totals(), { total: 0, completed: 0, failed: 0 });
      assert.deepEqual(await queue.addMany([]), []);
    });

    test('days count what ended, with the mean time', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      await queue.addMany([{ data: 1 }, { data: 2 }]);
      await runAll(queue, 2);
      await eventually(async () => assert.equal((await queue.totals()).completed, 2));
      const [yesterday, today] = await queue.daily(2);
      assert.deepEqual([yesterday?.completed, today?.completed, today?.failed], [0, 2, 0]);
      assert.ok((today?.averageMs ?? -1) >= 0);
    });
  });
}
