import assert from 'node:assert/strict';
import type { SearchOptions } from '../queue/job-filter.js';
import type { Queue } from '../queue/queue.js';
import type { Engine, EngineKind } from './engine.js';
import { addressOf, anyJob, endOf, PortWorker, runAll, whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';

interface Scan {
  readonly n: number;
  readonly user?: string | number | boolean;
  readonly kind?: string;
}

/** How jobs are searched, on every twin. */
export function queueSearchConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue search', (test) => {
    const open = async (engine: Engine, fields: readonly string[] = ['user', 'kind']): Promise<Queue<Scan>> =>
      (await engine.open()).queue<Scan>('q', { fields, attempts: 1 });
    const found = async (queue: Queue<Scan>, options: SearchOptions): Promise<number[]> =>
      (await queue.search(options)).jobs.map((job) => job.data.n);
    const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

    test('jobs are found by the fields that are declared, alone and together', async (engine) => {
      const queue = await open(engine);
      await queue.addMany([
        { data: { n: 1, user: 'ada', kind: 'a' } },
        { data: { n: 2, user: 'ada', kind: 'b' } },
        { data: { n: 3, user: 'bob', kind: 'b' } },
        { data: { n: 4 } },
      ]);
      assert.deepEqual(sorted(await found(queue, { fields: { user: 'ada' } })), [1, 2]);
      assert.deepEqual(sorted(await found(queue, { fields: { kind: 'b' } })), [2, 3]);
      assert.deepEqual(await found(queue, { fields: { user: 'ada', kind: 'b' } }), [2]);
      assert.deepEqual(await found(queue, { fields: { user: 'eve' } }), []);
      assert.deepEqual(sorted(await found(queue, {})), [1, 2, 3, 4]);
    });

    test('texts match exactly, whatever they hold, and numbers and booleans by their text', async (engine) => {
      const queue = await open(engine);
      const users = ['a', 'a:b', 'a*', '*', '', 'é {x}%', '5', 5, true, 'x\ny', 'A'];
      await queue.addMany(users.map((user, n) => ({ data: { n, user } })));
      for (const [n, user] of users.entries()) {
        const expected = String(user) === '5' ? [6, 7] : [n];
        assert.deepEqual(sorted(await found(queue, { fields: { user } })), expected, String(user));
      }
      assert.deepEqual(await found(queue, { fields: { user: 'a', kind: '' } }), []);
    });

    test('a job is found by the status it has, from its adding to its end', async (engine) => {
      const queue = await open(engine);
      const ports = await engine.ports();
      const worker = new PortWorker(ports, 'w');
      const statuses = ['pending', 'delayed', 'processing', 'completed', 'failed', 'cancelled'] as const;
      const where = async (): Promise<string[]> => {
        const pages = await Promise.all(statuses.map((status) => queue.search({ status })));
        return statuses.filter((_, index) => (pages[index]?.jobs.length ?? 0) > 0);
      };
      await queue.add({ n: 1 }, { id: 'j', delay: 1_000 });
      assert.deepEqual(await where(), ['delayed']);
      await engine.advance(1_100);
      let [job] = (await worker.turn(1)).jobs;
      assert.deepEqual(await where(), ['processing']);
      assert.ok(job);
      await worker.hand(endOf(job, 'return'));
      assert.deepEqual(await where(), ['pending']);
      [job] = (await worker.turn(1)).jobs;
      assert.ok(job);
      await worker.hand(endOf(job, 'retry', 'no', 1_000));
      assert.deepEqual(await where(), ['delayed']);
      await engine.advance(1_100);
      [job] = (await worker.turn(1)).jobs;
      assert.ok(job);
      await worker.hand(endOf(job, 'fail', 'no'));
      assert.deepEqual(await where(), ['failed']);
      await queue.retry('j');
      assert.deepEqual(await where(), ['pending']);
      [job] = (await worker.turn(1)).jobs;
      await engine.advance(6_000);
      [job] = (await new PortWorker(ports, 'v').turn(0)).jobs;
      assert.deepEqual(await where(), ['pending']);
      const heir = new PortWorker(ports, 'u');
      [job] = (await heir.turn(1)).jobs;
      assert.ok(job);
      await heir.hand(endOf(job, 'complete'));
      assert.deepEqual(await where(), ['completed']);
      await queue.add({ n: 2 }, { id: 'k' });
      await queue.cancel('k');
      assert.deepEqual(await where(), ['completed', 'cancelled']);
      assert.equal(await queue.remove('j'), true);
      assert.deepEqual(await where(), ['cancelled']);
    });

    test('jobs are found by process, topic and group', async (engine) => {
      const queue = await open(engine, []);
      const done = await queue.add({ n: 1 }, { topic: 't', group: 'g' });
      const worker = queue.work(() => undefined);
      const { workerName = '' } = await whenStatus(queue, done.id, 'completed');
      await worker.close();
      await queue.addMany([
        { data: { n: 2 }, topic: 't' },
        { data: { n: 3 }, group: 'g' },
      ]);
      assert.deepEqual(await found(queue, { workerName }), [1]);
      assert.deepEqual(sorted(await found(queue, { topic: 't' })), [1, 2]);
      assert.deepEqual(sorted(await found(queue, { group: 'g' })), [1, 3]);
      assert.deepEqual(await found(queue, { group: 'g', status: 'pending' }), [3]);
      assert.deepEqual(await found(queue, { workerName: `${workerName}x` }), []);
    });

    test('jobs are found by when they were added and ended, both ends of a range included', async (engine) => {
      const queue = await open(engine);
      for (const n of [1, 2, 3]) {
        await queue.add({ n, user: 'ada' }, { id: `j${n}` });
        await engine.advance(1_000);
        await runAll(queue, 1);
        await engine.advance(1_000);
      }
      const [first, second, third] = await Promise.all([1, 2, 3].map((n) => queue.get(`j${n}`)));
      assert.ok(first && second && third);
      const [addedMs, endedMs] = [second.createdAtMs, second.completedAtMs ?? 0];
      for (const more of [{}, { fields: { user: 'ada' } }, { status: 'completed' as const }]) {
        assert.deepEqual(await found(queue, { created: { from: addedMs, to: addedMs }, ...more }), [2]);
        assert.deepEqual(await found(queue, { created: { from: new Date(addedMs + 1) }, ...more }), [3]);
        assert.deepEqual(await found(queue, { created: { to: addedMs - 1 }, ...more }), [1]);
        assert.deepEqual(await found(queue, { ended: { from: endedMs, to: endedMs }, ...more }), [2]);
        assert.deepEqual(await found(queue, { ended: { to: new Date(endedMs) }, ...more }), [2, 1]);
        assert.deepEqual(await found(queue, { ended: { from: endedMs + 1 }, ...more }), [3]);
      }
      await queue.add({ n: 4 });
      assert.deepEqual(await found(queue, { ended: { from: 0 } }), [3, 2, 1]);
      assert.deepEqual(await found(queue, { created: { from: 5, to: 4 } }), []);
    });

    test('pages hold every job once, the newest first, whatever ends between them', async (engine) => {
      const queue = await open(engine);
      for (let start = 0; start < 240; start += 60) {
        await queue.addMany(
          Array.from({ length: 60 }, (_, k) => ({ data: { n: start + k, user: 'ada' }, id: `j${1_000 + start + k}` })),
        );
        await engine.advance(1_000);
      }
      for (const filter of [{}, { fields: { user: 'ada' } }, { status: 'pending' as const }]) {
        const seen: number[] = [];
        let cursor: string | undefined;
        do {
          const page = await queue.search({ ...filter, limit: 70, ...(cursor === undefined ? {} : { cursor }) });
          seen.push(...page.jobs.map((job) => job.data.n));
          ({ cursor } = page);
          if (page.jobs[0]) await queue.cancel(page.jobs[0].id);
          await queue.add({ n: 9_999 });
        } while (cursor !== undefined);
        const first = seen[0] ?? 0;
        const old = seen.filter((n) => n < 9_999);
        assert.equal(new Set(seen).size, first === 9_999 ? old.length + 1 : old.length);
        assert.deepEqual(
          old,
          old.toSorted((a, b) => b - a),
        );
        assert.ok(old.length >= 230, `${old.length} found`);
      }
    });

    test('jobs are sent again and removed by the same filter, and no others', async (engine) => {
      const queue = await open(engine);
      await queue.addMany(
        Array.from({ length: 30 }, (_, n) => ({ data: { n, user: n % 3, kind: n % 2 === 0 ? 'even' : 'odd' } })),
      );
      const worker = new PortWorker(await engine.ports(), 'w');
      const { jobs } = await worker.turn(30);
      await worker.hand(...jobs.map((job, n) => endOf(job, n < 15 ? 'fail' : 'complete')));
      const failed = sorted(await found(queue, { status: 'failed', fields: { user: 1, kind: 'odd' } }));
      assert.deepEqual(failed, [1, 7, 13]);
      assert.equal(await queue.retryMany({ fields: { user: 1, kind: 'odd' } }), 3);
      assert.deepEqual(sorted(await found(queue, { status: 'pending' })), failed);
      assert.equal(await queue.removeMany({ status: 'failed', fields: { user: 1 } }), 2);
      assert.equal(await queue.removeMany({ status: 'completed', fields: { kind: 'odd' } }), 8);
      assert.equal(await queue.removeMany({ status: 'completed', workerName: 'nobody' }), 0);
      assert.equal(await queue.removeMany({ status: 'completed', workerName: 'w' }), 7);
      assert.equal((await found(queue, {})).length, 13);
      assert.equal((await queue.counts()).failed, 10);
    });

    test('a sweep and a search go on where they were, though the last job they saw has failed again since', async (engine) => {
      const queue = await open(engine);
      const ports = await engine.ports();
      const worker = new PortWorker(ports, 'w');
      const failNext = async (count: number): Promise<void> => {
        for (const job of (await worker.turn(count)).jobs) {
          await engine.advance(5);
          await worker.hand(endOf(job, 'fail'));
        }
        await engine.advance(5);
      };
      await queue.addMany(Array.from({ length: 10 }, (_, n) => ({ data: { n }, id: `j${n}` })));
      await failNext(10);
      const first = await queue.search({ status: 'failed', limit: 4 });
      await queue.retry(first.jobs.at(-1)?.id ?? '');
      await failNext(1);
      const { cursor: place = '' } = first;
      const second = await queue.search({ status: 'failed', cursor: place });
      assert.deepEqual(
        [...first.jobs, ...second.jobs].map((job) => job.data.n),
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
      );
      const sweep = { change: 'retry', filter: { ...anyJob, status: 'failed' } } as const;
      const some = await ports.queue.sweep(addressOf('q'), sweep, undefined, 4);
      await failNext(4);
      const rest = await ports.queue.sweep(addressOf('q'), sweep, some.cursor, 100);
      assert.deepEqual([some.changed, rest.changed], [4, 6]);
    });

    test('failed jobs are meant by group, process and time without an index', async (engine) => {
      const queue = (await engine.open()).queue<Scan>('q', { attempts: 1 });
      await queue.addMany(['a', 'b', 'a'].map((group, n) => ({ data: { n }, group })));
      const worker = new PortWorker(await engine.ports(), 'w');
      const { jobs } = await worker.turn(3);
      await worker.hand(...jobs.map((job) => endOf(job, 'fail')));
      assert.equal(await queue.retryMany({ group: 'a', workerName: 'x' }), 0);
      assert.equal(await queue.retryMany({ group: 'a', workerName: 'w' }), 2);
      assert.equal(await queue.removeMany({ status: 'failed', ended: { to: 5 } }), 0);
      assert.equal(await queue.removeMany({ status: 'failed', ended: { from: 5 } }), 1);
    });

    test('what is drained, obliterated or kept no more is not found', async (engine) => {
      const state = await engine.open();
      const queue = state.queue<Scan>('q', { fields: ['user'], keepCompleted: '10s' });
      await queue.addMany([1, 2].map((n) => ({ data: { n, user: 'ada' } })));
      await runAll(queue, 2);
      assert.equal((await found(queue, { fields: { user: 'ada' } })).length, 2);
      await engine.advance(10_500);
      assert.deepEqual(await found(queue, { fields: { user: 'ada' } }), []);
      await queue.addMany([3, 4].map((n) => ({ data: { n, user: 'ada' }, ...(n === 4 ? { delay: '1m' } : {}) })));
      assert.equal(await queue.drain(), 2);
      assert.deepEqual(await found(queue, {}), []);
      await queue.add({ n: 5, user: 'ada' });
      await queue.obliterate();
      assert.deepEqual(await found(queue, { fields: { user: 'ada' } }), []);
      const brief = state.queue<Scan>('brief', { fields: ['user'], keepCompleted: 0 });
      const { id } = await brief.add({ n: 6, user: 'ada' }, { id: 'again' });
      await brief.cancel(id);
      await brief.add({ n: 7, user: 'bob' }, { id });
      assert.deepEqual(await found(brief, { fields: { user: 'ada' } }), []);
      assert.deepEqual(await found(brief, { fields: { user: 'bob' } }), [7]);
    });

    test('a search that makes no sense is refused', async (engine) => {
      const queue = await open(engine);
      const bad: unknown[] = [
        { status: 'over' },
        { fields: { n: 1 } },
        { fields: { user: {} } },
        { fields: { user: 'x'.repeat(257) } },
        { created: { from: 'today' } },
        { ended: { to: Number.NaN } },
        { created: { since: 5 } },
        { workerName: '' },
        { topic: '' },
        { group: 7 },
        { limit: 0 },
        { limit: 201 },
        { cursor: '7' },
        { olderthan: 5 },
      ];
      for (const options of bad) {
        await assert.rejects(
          queue.search(options as SearchOptions),
          { code: 'InvalidArgument' },
          JSON.stringify(options),
        );
      }
      for (const user of [{}, ['a'], 'x'.repeat(257), '\ud800']) {
        await assert.rejects(queue.add({ n: 1, user: user as string }), { code: 'InvalidArgument' });
      }
      const state = await engine.open();
      await assert.rejects(state.queue('plain').search(), { code: 'InvalidArgument' });
      await assert.rejects(state.queue('plain').retryMany({ fields: { user: 'ada' } }), { code: 'InvalidArgument' });
      for (const fields of [['a', 'a'], [''], ['a b'], Array.from({ length: 17 }, (_, n) => `f${n}`), 'user']) {
        assert.throws(() => state.queue('r', { fields: fields as string[] }), { code: 'InvalidArgument' });
      }
      const { pending } = await (await engine.ports()).queue.counts(addressOf('q'));
      assert.equal(pending, 0);
    });
  });
}
