import assert from 'node:assert/strict';
import { systemClock } from '../clock.js';
import type { JobNotice } from '../queue/job-notice.js';
import type { EngineKind } from './engine.js';
import { whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, pause } from './waiting.js';

/** How the end of a job reaches those who wait for it, on every twin. */
export function queueResultConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue results', (test) => {
    test('the result of a job comes to whoever waits, in every process, without asking again', async (engine) => {
      const [adder, other, working] = [await engine.open(), await engine.open(), await engine.open()];
      const added = await adder.queue<number, { twice: number }>('q').add(21);
      const queues = [
        other.queue<number, { twice: number }>('q'),
        adder.queue<number, { twice: number }>('q'),
      ] as const;
      const results = Promise.all([added.result(), added.result(), queues[0].result(added.id)]);
      const everything = Promise.all([results, queues[1].waitFor(added.id)]);
      // A test that fails before must not leave rejections that nobody hears.
      everything.catch(() => undefined);
      await eventLoopTurn();
      let finish: () => void = () => undefined;
      const queue = working.queue<number, { twice: number }>('q');
      queue.work(async ({ data }) => {
        await new Promise<void>((resolve) => (finish = resolve));
        return { twice: 2 * data };
      });
      await whenStatus(queue, added.id, 'processing');
      await pause(20);
      const finishedAtMs = systemClock.monotonic();
      finish();
      const [twice, ended] = await everything;
      assert.deepEqual(twice, [{ twice: 42 }, { twice: 42 }, { twice: 42 }]);
      // Who is not woken looks again after half a second at the earliest.
      assert.ok(systemClock.monotonic() - finishedAtMs < 400, 'woken');
      assert.deepEqual([ended?.status, ended?.result, ended?.data], ['completed', { twice: 42 }, 21]);
      assert.deepEqual(await added.result(), { twice: 42 });
    });

    test('jobs of every form are waited for: compact, named, delayed, tried again', async (engine) => {
      const queue = (await engine.open()).queue<number, number>('q', { backoff: { first: 1 } });
      const added = [
        await queue.add(1),
        await queue.add(2, { id: 'own' }),
        await queue.add(3, { delay: 30 }),
        await queue.add(4, { topic: 't' }),
        ...(await queue.addMany([{ data: 5 }, { data: 6 }])),
      ];
      const results = added.map((job) => job.result());
      queue.work(({ data, attempt }) => {
        if (data === 2 && attempt === 1) throw new Error('once');
        return data * 10;
      });
      let open = results.length;
      for (const result of results) void result.then(() => open--);
      await eventually(async () => {
        await engine.advance(100);
        assert.equal(open, 0);
      });
      assert.deepEqual(await Promise.all(results), [10, 20, 30, 40, 50, 60]);
    });

    test('who waits learns that there will be no result, and why', async (engine) => {
      const queue = (await engine.open()).queue<string, string>('q', { attempts: 1 });
      const waiting = [];
      for (const data of ['fails', 'cancelled', 'drained']) {
        const { id } = await queue.add(data, { id: data, priority: data === 'fails' ? 10 : 1 });
        waiting.push(queue.result(id), queue.waitFor(id));
      }
      const settled = Promise.allSettled(waiting);
      await eventLoopTurn();
      const worker = queue.work(() => {
        throw new Error('no luck');
      });
      await queue.pause();
      await queue.cancel('cancelled');
      await queue.drain();
      await queue.add('fails', { id: 'fails' });
      await queue.resume();
      const ends = await settled;
      const told = ends.map((end) =>
        end.status === 'rejected' ? end.reason.code : (end.value as { status?: string }),
      );
      for (const index of [0, 2, 4]) assert.equal(told[index], 'JobFailed', String(index));
      assert.equal((told[3] as { status: string }).status, 'cancelled');
      assert.equal(told[5], undefined);
      await worker.close();
      await assert.rejects(queue.result('absent'), { code: 'JobFailed' });
      await assert.rejects(queue.result('no id'), { code: 'JobFailed' });
      assert.equal(await queue.waitFor('absent'), undefined);
    });

    test('waiting ends with its bound or its signal, and leaves the job alone', async (engine) => {
      const queue = (await engine.open()).queue<number, number>('q');
      const added = await queue.add(1);
      const bounded = [queue.waitFor(added.id, { wait: 200 }), added.result({ wait: 200 })];
      const settled = Promise.allSettled(bounded);
      const abort = new AbortController();
      const aborted = queue.waitFor(added.id, { signal: abort.signal });
      const refused = assert.rejects(aborted, /enough/);
      await pause(20);
      abort.abort(new Error('enough'));
      await refused;
      await engine.advance(300);
      const [none, timeout] = await settled;
      assert.deepEqual(none, { status: 'fulfilled', value: undefined });
      assert.equal(timeout?.status === 'rejected' && timeout.reason.code, 'RunTimeout');
      assert.equal((await queue.get(added.id))?.status, 'pending');
      await assert.rejects(queue.waitFor(added.id, { wait: -1 }), { code: 'InvalidArgument' });
      await assert.rejects(queue.waitFor(added.id, { timeout: 1 } as never), { code: 'InvalidArgument' });
    });

    test('closing a state lets go who waits', async (engine) => {
      const state = await engine.open();
      const added = await state.queue<number, number>('q').add(1);
      const waits = assert.rejects(added.result(), { code: 'Closed' });
      await pause(10);
      await state.close();
      await waits;
    });

    test('events come one by one, in order, as they are asked for', async (engine) => {
      const queue = (await engine.open()).queue<number>('q', { notices: true });
      const seen: JobNotice[] = [];
      let last = '';
      const abort = new AbortController();
      const reading = (async () => {
        for await (const { id, event } of queue.events({ signal: abort.signal })) {
          seen.push(event);
          last = id;
          await eventLoopTurn();
        }
      })();
      queue.work(() => undefined);
      // Events before it listens are not for it: the first one that comes tells that it does.
      let early = '';
      await eventually(async () => {
        ({ id: early } = await queue.add(0));
        await queue.result(early);
        assert.notEqual(seen.length, 0);
      });
      await eventually(() => assert.equal(seen.at(-1)?.job, early));
      seen.length = 0;
      const added = await queue.addMany([{ data: 1 }, { data: 2, topic: 't' }, { data: 3 }]);
      await eventually(() => assert.equal(seen.length, 3));
      assert.deepEqual(
        seen.map(({ job, type }) => [job, type]),
        added.map(({ id }) => [id, 'completed']),
      );
      abort.abort();
      await reading;
      const missed = await queue.add(4);
      await missed.result();
      for await (const { event } of queue.events({ after: last })) {
        assert.equal(event.job, missed.id);
        break;
      }
      const ofTopic: string[] = [];
      for await (const { event } of queue.events({ topic: 't', after: '0-0' })) {
        ofTopic.push(event.job);
        break;
      }
      assert.deepEqual(ofTopic, [added[1]?.id]);
    });

    test('events end with the state, and need notices', async (engine) => {
      const state = await engine.open();
      const events = state.queue('q', { notices: true }).events();
      const next = events.next();
      await pause(20);
      await state.close();
      assert.deepEqual(await next, { done: true, value: undefined });
      const other = (await engine.open()).queue('other');
      assert.throws(() => other.events(), { code: 'InvalidArgument' });
      assert.throws(() => other.events({ from: '1-1' } as never), { code: 'InvalidArgument' });
    });
  });
}
