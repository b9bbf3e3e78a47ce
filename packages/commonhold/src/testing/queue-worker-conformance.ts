import assert from 'node:assert/strict';
import { NonRetryableError } from '../queue/running-job.js';
import type { EngineKind } from './engine.js';
import { runAll, whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, pause } from './waiting.js';

/** What a queue's workers must do on every twin: run handlers, and keep, try again or give back what they ran. */
export function queueWorkerConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue worker', (test) => {
    test('no more run side by side than asked', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      let running = 0;
      let most = 0;
      queue.work(
        async () => {
          most = Math.max(most, ++running);
          await eventLoopTurn();
          running--;
        },
        { concurrency: 3 },
      );
      await queue.addMany(Array.from({ length: 40 }, (_, data) => ({ data })));
      await eventually(async () => assert.equal((await queue.totals()).completed, 40));
      assert.equal(most, 3);
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

    test('H.21: a closing worker gives back what does not end within the grace, no attempt charged', async (engine) => {
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

    test('workers that wait are told of a delayed job that falls due before all others', async (engine) => {
      const [adder, waiting] = [await engine.open(), await engine.open()];
      const seen: string[] = [];
      waiting.queue<string>('q').work(({ data }) => void seen.push(data));
      await pause(50);
      const queue = adder.queue<string>('q');
      await queue.addMany([
        { data: 'third', delay: '1h' },
        { data: 'second', delay: '20s' },
        { data: 'first', delay: '10s' },
        { data: 'now', delay: 0 },
      ]);
      await eventually(() => assert.deepEqual(seen, ['now']));
      await engine.advance(11_000);
      await eventually(() => assert.deepEqual(seen, ['now', 'first']));
      await engine.advance(10_000);
      await eventually(() => assert.deepEqual(seen, ['now', 'first', 'second']));
    });

    test('results come back as they were returned', async (engine) => {
      const queue = (await engine.open()).queue<number, unknown>('q');
      const results = [undefined, null, '', 0, Buffer.from([0, 255]), new Date(5), 'x'.repeat(500_000)];
      const added = await queue.addMany(results.map((_, data) => ({ data })));
      queue.work(({ data }) => results[data]);
      for (const [index, { id }] of added.entries()) {
        const job = await whenStatus(queue, id, 'completed');
        assert.deepEqual([job.result, 'result' in job], [results[index], index > 0]);
      }
    });

    test('a result that cannot be stored fails the job at once, saying why', async (engine) => {
      const queue = (await engine.open()).queue<number, unknown>('q');
      const results = [() => 1, 'x'.repeat(2 ** 20 + 1), Symbol('s')];
      const added = await queue.addMany(results.map((_, data) => ({ data })));
      queue.work(({ data }) => results[data]);
      for (const { id } of added) {
        const job = await whenStatus(queue, id, 'failed');
        assert.match(job.error ?? '', /^(?:InvalidArgumentError|ValueTooLargeError): The result of job/);
        assert.equal(job.attempts, 1);
      }
    });

    test('whatever a handler throws is kept as readable text, and hurts no other job', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 1 });
      const hostile = new Proxy(new Error('x'), {
        get: () => {
          throw new Error('not even this');
        },
      });
      const bare = Object.create(null) as object;
      const thrown = [
        'text',
        undefined,
        null,
        7n,
        { code: 1 },
        bare,
        Symbol('s'),
        hostile,
        new Error('x'.repeat(9_999)),
      ];
      const expected = ['text', 'undefined', 'null', '7n', '{ code: 1 }', '[Object: null prototype] {}', 'Symbol(s)'];
      const added = await queue.addMany(thrown.map((_, data) => ({ data })));
      const good = await queue.add(99);
      queue.work(({ data }) => {
        if (data < 99) throw thrown[data];
      });
      await whenStatus(queue, good.id, 'completed');
      const errors = await Promise.all(
        added.map(async ({ id }) => (await whenStatus(queue, id, 'failed')).error ?? ''),
      );
      assert.deepEqual(errors.slice(0, 7), expected);
      assert.match(errors[7] ?? '', /cannot be shown/);
      assert.equal(errors[8]?.length, 1_024);
    });

    test('a handler can say that trying again is of no use', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 5 });
      const { id } = await queue.add(1);
      queue.work(() => Promise.reject(new NonRetryableError('no such file')));
      const job = await whenStatus(queue, id, 'failed');
      assert.deepEqual([job.attempts, job.error], [1, 'NonRetryableError: no such file']);
    });

    test('a job may have settings of its own', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { attempts: 3 });
      const added = await queue.addMany([
        { data: 1, attempts: 1 },
        { data: 2, attempts: 2, backoff: { first: 1, factor: 1 } },
      ]);
      queue.work(() => assert.fail());
      await whenStatus(queue, added[0]?.id ?? '', 'failed');
      for (let n = 0; n < 20; n++) await engine.advance(10);
      assert.equal((await whenStatus(queue, added[1]?.id ?? '', 'failed')).attempts, 2);
    });

    test('progress never goes back, and odd fractions are made to fit', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { notices: true });
      const heard: number[] = [];
      let highest = 0;
      await queue.notices().subscribe((notice) => {
        if (notice.type === 'progress') heard.push(notice.progress);
      });
      const { id } = await queue.add('x');
      queue.work(async (_, { progress }) => {
        for (const fraction of [Number.NaN, 0.5, 0.2, -1, 0.5, 1e-7, 7, 0.9]) {
          progress(fraction);
          // What follows on another before that was sent takes its place.
          highest = Math.max(highest, Math.min(1, fraction || 0));
          await eventually(() => assert.equal(heard.at(-1), highest));
          await pause(20);
        }
      });
      const job = await whenStatus(queue, id, 'completed');
      assert.equal(job.progress, 1);
      await eventually(() => assert.deepEqual(heard, [0, 0.5, 1]));
    });

    test('what was given back keeps its order', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const numbers = Array.from({ length: 8 }, (_, n) => n);
      await queue.addMany(numbers.map((data) => ({ data })));
      const started: number[] = [];
      const worker = queue.work(
        ({ data }) => {
          started.push(data);
          return new Promise(() => undefined);
        },
        { concurrency: 5 },
      );
      await eventually(() => assert.equal(started.length, 5));
      const closed = worker.close({ grace: 20 });
      await engine.advance(30);
      await closed;
      assert.deepEqual(await runAll(queue, 8), numbers);
    });

    test('jobs taken ahead do not wait behind a slow one while another worker is free', async (engine) => {
      const [busy, free] = [await engine.open(), await engine.open()];
      const queue = busy.queue<number>('q');
      let finish: () => void = () => undefined;
      const seen: number[] = [];
      busy.queue<number>('q').work(({ data }) => {
        if (data === 200) return new Promise<void>((resolve) => (finish = resolve));
        seen.push(data);
        return undefined;
      });
      await queue.addMany(Array.from({ length: 210 }, (_, data) => ({ data })));
      await eventually(() => assert.equal(seen.length, 200));
      free.queue<number>('q').work(({ data }) => void seen.push(data));
      for (let n = 0; n < 10; n++) await engine.advance(50);
      await eventually(() => assert.equal(new Set(seen).size, 209));
      assert.equal(seen.length, 209);
      finish();
      await eventually(async () => assert.equal((await queue.totals()).completed, 210));
    });

    test('jobs added while the queue is paused start in order of priority, then of arrival', async (engine) => {
      const states = [await engine.open(), await engine.open(), await engine.open()];
      const started: { readonly n: number; readonly priority: number }[] = [];
      for (const state of states) {
        state.queue<number>('q').work(
          async ({ data, priority }) => {
            started.push({ n: data, priority });
            await pause(2);
          },
          { concurrency: 2 },
        );
      }
      const queue = states[0]?.queue<number>('q');
      await queue?.pause();
      await queue?.addMany(Array.from({ length: 30 }, (_, data) => ({ data, priority: (data * 7) % 11 })));
      await pause(30);
      assert.equal(started.length, 0);
      await queue?.resume();
      await eventually(() => assert.equal(started.length, 30));
      const ordered = started.toSorted((a, b) => b.priority - a.priority || a.n - b.n);
      for (const [place, job] of started.entries()) {
        assert.ok(Math.abs(ordered.indexOf(job) - place) < 6, `place ${place} went to job ${job.n}`);
      }
    });
  });
}
