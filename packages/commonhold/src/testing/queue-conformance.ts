import assert from 'node:assert/strict';
import type { Queue } from '../queue/queue.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

/** What every queue twin must do, with workers that run. */
export function queueConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue', (test) => {
    test('a job is run, its result kept, its record readable all the way', async (engine) => {
      const queue = (await engine.open()).queue<{ n: number }, { twice: number }>('q');
      const { id, duplicate } = await queue.add({ n: 2 });
      assert.equal(duplicate, false);
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

    test('no more run side by side than asked', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      let running = 0;
      let most = 0;
      queue.work(
        async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
        },
        { concurrency: 3 },
      );
      await queue.addMany(Array.from({ length: 40 }, (_, data) => ({ data })));
      await eventually(async () => assert.equal((await queue.totals()).completed, 40));
      assert.equal(most, 3);
    });

    test('a job of a known id is not added again while it is kept', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { keepCompleted: '10s' });
      assert.deepEqual(await queue.add(1, { id: 'a' }), { id: 'a', duplicate: false });
      assert.deepEqual(await queue.add(2, { id: 'a' }), { id: 'a', duplicate: true });
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

    test('a failing job is tried again after its backoff, then kept as failed', async (engine) => {
      const backoff = { first: '10s', factor: 2 } as const;
      const queue = (await engine.open()).queue<string>('q', { attempts: 2, backoff });
      const attempts: number[] = [];
      const { id } = await queue.add('x');
      queue.work(({ attempt }) => {
        attempts.push(attempt);
        throw new Error('no luck');
      });
      const waiting = await whenStatus(queue, id, 'delayed');
      assert.deepEqual([attempts, waiting.error], [[1], 'Error: no luck']);
      await engine.advance(4_000);
      assert.deepEqual(attempts, [1]);
      await engine.advance(7_000);
      const failed = await whenStatus(queue, id, 'failed');
      assert.deepEqual([attempts, failed.attempts, failed.error], [[1, 2], 2, 'Error: no luck']);
      assert.deepEqual(
        (await queue.deadLetters()).jobs.map((job) => job.id),
        [id],
      );
      assert.deepEqual(await queue.totals(), { total: 1, completed: 0, failed: 1 });
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

    test('cancelling every waiting job leaves a queue that works', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const added = await queue.addMany(Array.from({ length: 20 }, (_, data) => ({ data })));
      for (const { id } of added) assert.equal(await queue.cancel(id), 'pending');
      await queue.add(99);
      assert.deepEqual(await runAll(queue, 1), [99]);
    });

    test('cancelling a running job aborts its signal and refuses its result', async (engine) => {
      const queue = (await engine.open()).queue<string, string>('q');
      const other = (await engine.open()).queue<string, string>('q');
      const { id } = await queue.add('x');
      const aborted = new Promise<unknown>((resolve) => {
        queue.work(async (_, { signal }) => {
          await new Promise<void>((stop) => signal.addEventListener('abort', () => stop()));
          resolve(signal.reason);
          return 'too late';
        });
      });
      await whenStatus(queue, id, 'processing');
      assert.equal(await other.cancel(id), 'processing');
      assert.equal(((await aborted) as { why: string }).why, 'lost');
      const job = await queue.get(id);
      assert.deepEqual([job?.status, job?.result], ['cancelled', undefined]);
    });

    test('progress is noted in the record', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      const { id } = await queue.add('x');
      let finish: () => void = () => undefined;
      queue.work(async (_, { progress }) => {
        progress(0.25);
        await new Promise<void>((resolve) => (finish = resolve));
      });
      await eventually(async () => assert.equal((await queue.get(id))?.progress, 0.25));
      finish();
      await whenStatus(queue, id, 'completed');
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
      await new Promise((resolve) => setTimeout(resolve, 50));
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

    test('what a dead worker held is taken over when its lease ends', async (engine) => {
      const [dead, alive] = [await engine.ports(), (await engine.open()).queue<number>('q')];
      await alive.addMany([{ data: 1 }, { data: 2 }, { data: 3 }]);
      const taken = await dead.queue.turn(addressOf('q'), { id: 'dead:1', name: 'dead', leaseMs: 5_000 }, turnFor(1, 2));
      assert.equal(taken.jobs.length, 2);
      const seen: number[] = [];
      alive.work(({ data }) => void seen.push(data));
      await eventually(() => assert.deepEqual(seen, [3]));
      await engine.advance(4_000);
      assert.deepEqual(seen, [3]);
      await engine.advance(1_500);
      await eventually(() => assert.deepEqual(seen, [3, 1, 2]));
      const [id = '', attempt = 0] = [taken.jobs[0]?.id, taken.jobs[0]?.attempt];
      const end = { id, attempt, kind: 'complete', payload: '"late"', delayMs: 0 } as const;
      const late = await dead.queue.turn(
        addressOf('q'),
        { id: 'dead:1', name: 'dead', leaseMs: 5_000 },
        { ...turnFor(2, 0), ends: [end] },
      );
      assert.deepEqual(late.ends, ['superseded']);
      assert.equal((await alive.totals()).completed, 3);
    });

    test('a job whose workers keep dying runs alone, then fails alone', async (engine) => {
      const { queue } = await engine.ports();
      const address = addressOf('q');
      const job = { delayMs: 0, topic: undefined, options: '', fields: [], priority: 5 };
      const jobs = [
        { ...job, id: 'poison', data: '1' },
        { ...job, id: 'innocent', data: '2' },
      ];
      await queue.add(address, { adder: 'a:1', number: 1, jobs });
      const worker = (name: string) => ({ id: `${name}:1`, name, leaseMs: 5_000 });
      assert.equal((await queue.turn(address, worker('a'), turnFor(1, 2))).jobs.length, 2);
      await engine.advance(6_000);
      assert.equal((await queue.turn(address, worker('b'), turnFor(1, 2))).jobs.length, 2);
      await engine.advance(6_000);
      const busy = await queue.turn(address, worker('c'), { ...turnFor(1, 2), idle: false });
      assert.deepEqual([busy.jobs.length, busy.waitingForIdle], [0, 2]);
      const alone = await queue.turn(address, worker('c'), turnFor(2, 2));
      assert.deepEqual([alone.jobs.map(({ id }) => id), alone.alone], [['poison'], true]);
      await engine.advance(6_000);
      const after = await queue.turn(address, worker('d'), turnFor(1, 2));
      assert.deepEqual([after.jobs.map(({ id }) => id), after.alone], [['innocent'], true]);
      assert.equal((await queue.get(address, 'poison'))?.status, 'failed');
    });

    test('a closing worker ends what it runs and gives back what it has not started', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      let finish: () => void = () => undefined;
      const began = new Promise<void>((resolve) => {
        queue.work(async ({ data }) => {
          resolve();
          if (data === 1) await new Promise<void>((stop) => (finish = stop));
        });
      });
      const added = await queue.addMany([{ data: 1 }, { data: 2 }]);
      await began;
      const worker = queue.work(() => undefined);
      await worker.close();
      finish();
      await eventually(async () => assert.equal((await queue.totals()).completed, 2));
      for (const { id } of added) assert.equal((await queue.get(id))?.attempts, 1);
    });

    test('a closing worker gives back what does not end within the grace, no attempt charged', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const { id } = await queue.add(1);
      let signal: AbortSignal | undefined;
      const worker = queue.work((_, controls) => {
        ({ signal } = controls);
        return new Promise(() => undefined);
      });
      await whenStatus(queue, id, 'processing');
      const closed = worker.close({ grace: 20 });
      await engine.advance(30);
      await closed;
      assert.equal(signal?.aborted, true);
      const job = await queue.get(id);
      assert.deepEqual([job?.status, job?.attempts], ['pending', 0]);
      assert.deepEqual(await runAll(queue, 1), [1]);
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

/** Runs jobs one at a time until `count` have run; returns their data in the order they ran. */
async function runAll<Data>(queue: Queue<Data>, count: number): Promise<Data[]> {
  const seen: Data[] = [];
  const worker = queue.work(({ data }) => void seen.push(data));
  await eventually(() => assert.equal(seen.length, count));
  await worker.close();
  return seen;
}

async function whenStatus<Data, Result>(
  queue: Queue<Data, Result>,
  id: string,
  status: string,
): Promise<NonNullable<Awaited<ReturnType<Queue<Data, Result>['get']>>>> {
  let job: Awaited<ReturnType<Queue<Data, Result>['get']>>;
  await eventually(async () => {
    job = await queue.get(id);
    assert.equal(job?.status, status);
  });
  assert.ok(job);
  return job;
}

function addressOf(name: string) {
  return { name, documented: undefined, notices: false, keepCompletedMs: 3_600_000, keepFailedMs: 604_800_000 };
}

function turnFor(number: number, free: number) {
  return { number, ends: [], free, idle: true, known: undefined };
}
