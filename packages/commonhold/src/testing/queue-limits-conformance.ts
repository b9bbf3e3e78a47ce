import assert from 'node:assert/strict';
import type { LimitOptions } from '../queue/queue-options.js';
import type { EngineKind } from './engine.js';
import { addressOf, PortWorker, whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, pause } from './waiting.js';

/** What bounds the runs of jobs on every twin: timeout, deadline, the worker's lease, the limits of the queue; and their logs. */
export function queueLimitsConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue limits', (test) => {
    const never = (): Promise<never> => new Promise<never>(() => undefined);

    test('an attempt that takes too long is aborted and tried again, heeded or not', async (engine) => {
      const queue = (await engine.open()).queue<string, string>('q', { timeout: '2s', backoff: { first: '10s' } });
      const { id } = await queue.add('x');
      const reasons: unknown[] = [];
      queue.work(({ attempt }, { signal }) => {
        if (attempt === 3) return 'third';
        signal.addEventListener('abort', () => reasons.push((signal.reason as { why: string }).why));
        return never();
      });
      for (const attempt of [1, 2]) {
        await eventually(async () => {
          await engine.advance(500);
          assert.equal((await queue.get(id))?.attempts, attempt);
        });
        await engine.advance(500);
        assert.equal(reasons.length, attempt - 1);
        await engine.advance(1_500);
        await eventually(() => assert.equal(reasons.length, attempt));
      }
      await whenStatus(queue, id, 'delayed');
      await engine.advance(21_000);
      const done = await whenStatus(queue, id, 'completed');
      assert.deepEqual([done.result, reasons], ['third', ['timeout', 'timeout']]);
    });

    test('a job may have a timeout of its own, and fails with it', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { attempts: 1 });
      const slow = await queue.add('slow', { timeout: '2s' });
      const quick = await queue.add('quick', { timeout: '1m' });
      queue.work(({ data }) => (data === 'slow' ? never() : undefined));
      await whenStatus(queue, slow.id, 'processing');
      await engine.advance(3_000);
      const failed = await whenStatus(queue, slow.id, 'failed');
      assert.equal(failed.error, 'JobAborted: The job was aborted: timeout');
      await whenStatus(queue, quick.id, 'completed');
    });

    test('what a handler returns after its timeout is not heard', async (engine) => {
      const queue = (await engine.open()).queue<string, string>('q', { attempts: 1, timeout: '2s' });
      const { id } = await queue.add('x');
      let finish: (result: string) => void = () => undefined;
      const worker = queue.work(() => new Promise<string>((resolve) => (finish = resolve)));
      await whenStatus(queue, id, 'processing');
      await engine.advance(3_000);
      await whenStatus(queue, id, 'failed');
      finish('late');
      await eventLoopTurn();
      await worker.close();
      assert.deepEqual(await queue.totals(), { total: 1, completed: 0, failed: 1 });
      assert.equal((await queue.get(id))?.result, undefined);
    });

    test('a job is not started after its deadline, and those behind it are', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      const { id } = await queue.add('late', { deadline: '2s' });
      const other = await queue.add('other', { deadline: '1h' });
      await engine.advance(2_500);
      const seen: string[] = [];
      queue.work(({ data }) => void seen.push(data));
      const failed = await whenStatus(queue, id, 'failed');
      await whenStatus(queue, other.id, 'completed');
      assert.deepEqual(seen, ['other']);
      assert.equal(failed.error, 'NonRetryableError: The job was aborted: deadline');
    });

    test('a job that runs at its deadline is aborted and fails for good', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { deadline: '2s', backoff: { first: 10 } });
      const { id } = await queue.add('x');
      let why: unknown;
      queue.work((_, { signal }) => {
        signal.addEventListener('abort', () => (why = (signal.reason as { why: string }).why));
        return never();
      });
      await whenStatus(queue, id, 'processing');
      await engine.advance(1_500);
      assert.equal(why, undefined);
      await engine.advance(600);
      const failed = await whenStatus(queue, id, 'failed');
      assert.deepEqual([why, failed.attempts], ['deadline', 1]);
    });

    test('a job is not tried again when that would be after its deadline', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { backoff: { first: '1m' } });
      const { id } = await queue.add('x', { deadline: '10s' });
      queue.work(() => {
        throw new Error('no luck');
      });
      const failed = await whenStatus(queue, id, 'failed');
      assert.deepEqual([failed.attempts, failed.error], [1, 'Error: no luck']);
    });

    test('times are checked when a job is added', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      for (const bad of [0, -1, Number.NaN, Infinity, 'soon']) {
        await assert.rejects(queue.add('x', { timeout: bad as number }), { code: 'InvalidArgument' }, String(bad));
        await assert.rejects(queue.add('x', { deadline: bad as number }), { code: 'InvalidArgument' }, String(bad));
      }
      await assert.rejects(queue.add('x', { deadline: '1s', delay: '1s' }), { code: 'InvalidArgument' });
      assert.equal((await queue.counts()).pending, 0);
    });

    test('a job has a log, in order, over all its attempts', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { backoff: { first: '10s' } });
      const { id } = await queue.add('x');
      queue.work(async ({ attempt }, { log }) => {
        log(`attempt ${attempt}`);
        await eventLoopTurn();
        log('two\nlines');
        if (attempt === 1) throw new Error('no luck');
      });
      await whenStatus(queue, id, 'delayed');
      await engine.advance(11_000);
      const { log = [] } = await whenStatus(queue, id, 'completed');
      assert.deepEqual(
        log.map(({ text }) => text),
        ['attempt 1', 'two', 'lines', 'attempt 2', 'two', 'lines'],
      );
      assert.ok(log.every(({ atMs }, index) => atMs > 1e12 && atMs >= (log[index - 1]?.atMs ?? 0)));
    });

    test('a log keeps its last lines, in bounds', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      const { id } = await queue.add('x');
      queue.work(async ({ data }, { log }) => {
        for (let line = 0; line < 250; line++) log(`${data} ${line}`);
        await pause(5);
        log('é'.repeat(5_000));
      });
      const { log = [] } = await whenStatus(queue, id, 'completed');
      assert.equal(log.length, 100);
      assert.deepEqual([log[0]?.text, log.at(-1)?.text], ['x 151', 'é'.repeat(1_024)]);
    });

    test('nobody but the worker of an attempt writes to its log', async (engine) => {
      const ports = await engine.ports();
      const [worker, other] = [new PortWorker(ports, 'a'), new PortWorker(ports, 'b')];
      await worker.add({ id: 'x' });
      await worker.turn(1);
      assert.equal(await worker.log('x', 1, 'mine'), true);
      assert.equal(await other.log('x', 1, 'theirs'), false);
      assert.equal(await worker.log('x', 2, 'of another attempt'), false);
      assert.equal(await worker.log('absent', 1, 'of nothing'), false);
    });

    test('a worker that stood still starts nothing of what it took ahead', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      const other = (await engine.open()).queue<number>('q');
      await queue.addMany(Array.from({ length: 60 }, (_, data) => ({ data })));
      const seen: number[] = [];
      let advanced: Promise<void> | undefined;
      const late: number[] = [];
      // Handlers so quick that jobs are taken ahead; then this process is not heard of for longer than its lease.
      const worker = queue.work(async ({ data }) => {
        if (advanced !== undefined) late.push(data);
        seen.push(data);
        if (data === 40) await (advanced ??= engine.advance(6_000));
      });
      await eventually(() => assert.ok(advanced));
      await advanced;
      const rest = other.work(({ data }) => void seen.push(data));
      await eventually(async () => assert.equal((await other.totals()).completed, 60));
      await Promise.all([worker.close(), rest.close()]);
      assert.ok(seen.filter((data) => data !== 40).length === 59, 'no job but the one that stood still ran twice');
    });

    test('of two busy workers one waits to be free for what must run alone, and the other goes on', async (engine) => {
      const ports = await engine.ports();
      for (const name of ['a', 'b']) {
        const dying = new PortWorker(ports, name);
        if (name === 'a') await dying.add({ id: 'suspect' });
        await dying.turn(1);
        await engine.advance(6_000);
      }
      const states = [await engine.open(), await engine.open()];
      const finish: (() => void)[] = [];
      const seen: string[] = [];
      const work = async ({ id, data }: { id: string; data: number }): Promise<void> => {
        seen.push(id);
        if (data === 1) await new Promise<void>((resolve) => finish.push(resolve));
      };
      // Before the suspect comes up for taking over both workers have one place of two taken.
      const queues = states.map((state) => state.queue<number>('q'));
      await queues[0]?.pause();
      await queues[0]?.addMany([
        { data: 1, id: 'long-1' },
        { data: 1, id: 'long-2' },
      ]);
      const busy = queues.map((queue) => queue.work(work, { concurrency: 2 }));
      await queues[0]?.resume();
      await eventually(() => assert.ok(seen.includes('suspect') || finish.length === 2));
      await queues[0]?.addMany(Array.from({ length: 20 }, (_, index) => ({ data: 0, id: `short-${index}` })));
      await eventually(() => assert.equal(seen.filter((id) => id.startsWith('short')).length, 20));
      for (const end of finish) end();
      await eventually(() => {
        for (const end of finish) end();
        assert.equal(seen.length, 23);
      });
      await Promise.all(busy.map((worker) => worker.close()));
    });

    test('no more jobs run at once than the queue allows, over all workers', async (engine) => {
      const states = [await engine.open(), await engine.open(), await engine.open()];
      const queues = states.map((state) => state.queue<number>('q', { limits: { concurrency: 4 } }));
      await queues[0]?.addMany(Array.from({ length: 60 }, (_, data) => ({ data, priority: data % 3 })));
      let running = 0;
      let most = 0;
      for (const queue of queues) {
        queue.work(
          async () => {
            most = Math.max(most, ++running);
            await pause(2);
            running--;
          },
          { concurrency: 5 },
        );
      }
      await eventually(async () => assert.equal((await queues[0]?.totals())?.completed, 60));
      assert.equal(most, 4);
    });

    test('places come back from jobs that were cancelled, and from workers that died', async (engine) => {
      const ports = await engine.ports();
      const address = { ...addressOf('q'), limits: { running: 2, starts: 0, windowMs: 0, runningInGroup: 0 } };
      const [a, b, c] = ['a', 'b', 'c'].map((name) => new PortWorker(ports, name, address));
      assert.ok(a && b && c);
      await a.add({ id: 'x' }, { id: 'y' }, { id: 'z' }, { id: 'u' });
      assert.equal((await a.turn(5)).jobs.length, 2);
      assert.equal((await b.turn(5)).jobs.length, 0);
      await ports.queue.cancel(address, 'x');
      assert.deepEqual(
        (await b.turn(5)).jobs.map((job) => job.id),
        ['z'],
      );
      assert.equal((await c.turn(5)).jobs.length, 0);
      await engine.advance(6_000);
      assert.equal((await c.turn(5)).jobs.length, 2);
    });

    test('no more jobs are started in a window than the queue allows', async (engine) => {
      const limits = { rate: { max: 5, per: '1m' } } as const;
      const states = [await engine.open(), await engine.open()];
      const queues = states.map((state) => state.queue<number>('q', { limits }));
      let started = 0;
      for (const queue of queues) queue.work(() => void started++, { concurrency: 3 });
      await queues[0]?.addMany(Array.from({ length: 12 }, (_, data) => ({ data })));
      for (const expected of [5, 10, 12]) {
        await eventually(() => assert.equal(started, expected));
        await engine.advance(58_000);
        await pause(30);
        assert.equal(started, expected);
        await engine.advance(2_500);
      }
    });

    test('a queue without limits is not held up by the limits of another, nor by what is no limit', async (engine) => {
      const state = await engine.open();
      const bad: readonly LimitOptions[] = [
        { concurrency: 0 },
        { concurrency: 1.5 },
        { rate: { max: 0, per: '1s' } },
        { rate: { max: 1, per: 0 } },
      ];
      for (const limits of bad) {
        assert.throws(() => state.queue('q', { limits }), { code: 'InvalidArgument' }, JSON.stringify(limits));
      }
      assert.throws(() => state.queue('q', { limits: { rates: 1 } as never }), { code: 'InvalidArgument' });
      assert.throws(() => state.queue('q', { limits: { rate: { max: 1 } } as never }), { code: 'InvalidArgument' });
      await state.queue<number>('other', { limits: { concurrency: 1 } }).add(1);
      const queue = state.queue<number>('q');
      await queue.addMany(Array.from({ length: 30 }, (_, data) => ({ data })));
      let running = 0;
      let finish: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (finish = resolve));
      queue.work(
        () => {
          running++;
          return gate;
        },
        { concurrency: 30 },
      );
      await eventually(() => assert.equal(running, 30));
      finish();
    });
  });
}
