import assert from 'node:assert/strict';
import type { Ports } from '../backend/backend.js';
import type { QueueAddress, QueueTurnReply } from '../queue/queue-port.js';
import type { EngineKind } from './engine.js';
import { addressOf, endOf, PortWorker, whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

/** How the groups of a queue share it, on every twin. */
export function queueGroupConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue groups', (test) => {
    const bounded = (runningInGroup: number): QueueAddress => ({
      ...addressOf('q'),
      limits: { running: 0, starts: 0, windowMs: 0, runningInGroup },
    });
    const dataOf = ({ jobs }: QueueTurnReply): string => jobs.map((job) => String(job.data)).join(' ');
    /** Adds jobs called as their group and a number, in the order given. */
    const addAll = (worker: PortWorker, ...names: readonly string[]): Promise<unknown> =>
      worker.add(...names.map((data) => ({ id: data, data, group: data.replace(/\d+$/, '') || undefined })));
    const many = (group: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `${group}${index + 1}`);
    const ids = ({ jobs }: QueueTurnReply): string[] => jobs.map((job) => job.id);

    async function idle(ports: Ports): Promise<void> {
      const left = await ports.queue.counts(addressOf('q'));
      assert.deepEqual(left, { pending: 0, delayed: 0, processing: 0, failed: 0 });
    }

    test('groups take turns, job by job, however many jobs each has', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      await addAll(worker, ...many('a', 4), ...many('b', 2), 'c1');
      assert.equal(dataOf(await worker.turn(5)), 'a1 b1 c1 a2 b2');
      await addAll(worker, 'd1');
      assert.equal(dataOf(await worker.turn(9)), 'a3 d1 a4');
    });

    test("one group with 2,000 jobs does not delay another's one job", async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      for (let batch = 0; batch < 4; batch++)
        await worker.add(...Array.from({ length: 500 }, () => ({ group: 'big', id: `${batch}-${Math.random()}` })));
      assert.equal((await worker.turn(3)).jobs.length, 3);
      await addAll(worker, 'small1');
      assert.ok(ids(await worker.turn(2)).includes('small1'));
    });

    test('jobs without a group are one more group, compact or not', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      await worker.add(...['1', '2', '3'].map((data) => ({ data })), { id: '4', data: '4' });
      await addAll(worker, ...many('a', 2), ...many('b', 3));
      const order = (await worker.turn(99)).jobs.map((job) => [job.group ?? '', String(job.data)].join(''));
      assert.deepEqual(
        order.filter((name) => !/^[ab]/.test(name)),
        ['1', '2', '3', '4'],
      );
      assert.equal(order.slice(0, 3).filter((name) => /^\d/.test(name)).length, 1);
      assert.equal(order.slice(3, 6).filter((name) => /^\d/.test(name)).length, 1);
      assert.equal(order.length, 9);
    });

    test('higher priorities go first, in a group and over all', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      await addAll(worker, 'a1', 'a2', 'b1');
      await worker.add(
        { id: 'a9', data: 'a9', group: 'a', priority: 9 },
        { id: 'z', data: 'z', group: 'z', priority: 0 },
        { data: 'x', priority: 9 },
      );
      assert.equal(dataOf(await worker.turn(9)), 'a9 x a1 b1 a2 z');
    });

    test('the group of a job is read, listed and handed to its handler', async (engine) => {
      const queue = (await engine.open()).queue<string, string>('q');
      const group = 'tenant: ü*{x}%';
      const { id } = await queue.add('x', { group, topic: 't' });
      assert.equal((await queue.get(id))?.group, group);
      assert.equal((await queue.list('t')).jobs[0]?.group, group);
      queue.work((job) => `${job.group} ${job.topic}`);
      assert.equal((await whenStatus(queue, id, 'completed')).result, `${group} t`);
      const alone = await queue.add('y');
      assert.equal('group' in ((await queue.get(alone.id)) ?? {}), false);
      assert.equal((await whenStatus(queue, alone.id, 'completed')).result, 'undefined undefined');
    });

    test('a job of a group that needs no record is read, awaited and cancelled like any other', async (engine) => {
      const queue = (await engine.open()).queue<string, string>('q');
      const [first, second, third] = await queue.addMany(['1', '2', '3'].map((data) => ({ data, group: 'a:b' })));
      assert.ok(first && second && third);
      const { createdAtMs = 0, ...job } = (await queue.get(second.id)) ?? {};
      const expected = { id: second.id, status: 'pending', priority: 5, attempts: 0, data: '2', group: 'a:b' };
      assert.deepEqual(job, expected);
      assert.equal(await queue.get(second.id.replace(/^5/, '7')), undefined);
      assert.equal(await queue.get(second.id.replace('-', '-0')), undefined);
      await assert.rejects(queue.add('x', { id: second.id }), { code: 'InvalidArgument' });
      assert.equal(await queue.cancel(second.id), 'pending');
      assert.equal(await queue.cancel(second.id), 'cancelled');
      const cancelled = await queue.get(second.id);
      assert.deepEqual(
        [cancelled?.status, cancelled?.group, cancelled?.createdAtMs],
        ['cancelled', 'a:b', createdAtMs],
      );
      assert.equal((await queue.counts()).pending, 2);
      const results = Promise.all([first.result(), third.result()]);
      queue.work(({ data, group }) => `${data} ${group}`);
      assert.deepEqual(await results, ['1 a:b', '3 a:b']);
      assert.equal((await queue.get(first.id))?.createdAtMs, createdAtMs);
      await assert.rejects(second.result(), { code: 'JobFailed' });
    });

    test('names that are parts of each other, or of keys, are groups of their own', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      const groups = ['g', 'g:1', 'g*', '5:g', 'g%3A1', ' ', 'again', '}', 'é', 'x'.repeat(256)];
      await worker.add(...[...groups, ...groups].map((group, index) => ({ id: `j${index}`, group })));
      const { jobs } = await worker.turn(groups.length);
      assert.deepEqual(
        jobs.map((job) => job.group),
        groups,
      );
      assert.deepEqual(
        (await worker.turn(99)).jobs.map((job) => job.group),
        groups,
      );
    });

    test('a group that is no group is refused', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      for (const group of ['', 'x'.repeat(257), 'a\nb', '\ud800', 7, null]) {
        await assert.rejects(queue.add('x', { group: group as string }), { code: 'InvalidArgument' }, String(group));
      }
      const state = await engine.open();
      for (const concurrency of [0, -1, 1.5, Number.NaN, 1_000_001]) {
        assert.throws(() => state.queue('p', { groups: { concurrency } }), { code: 'InvalidArgument' });
      }
      assert.equal((await queue.counts()).pending, 0);
    });

    test('no more jobs of a group run at once than it may, over all workers', async (engine) => {
      const ports = await engine.ports();
      const [a, b] = [new PortWorker(ports, 'a', bounded(2)), new PortWorker(ports, 'b', bounded(2))];
      await addAll(a, ...many('a', 5), 'b1');
      const first = await a.turn(9);
      assert.equal(dataOf(first), 'a1 b1 a2');
      assert.equal((await b.turn(9)).jobs.length, 0);
      const [a1] = first.jobs;
      assert.ok(a1);
      assert.deepEqual(ids(await a.turn(9, { ends: [endOf(a1, 'complete')], idle: false })), ['a3']);
      await addAll(a, 'a6', 'c1');
      assert.deepEqual(ids(await b.turn(9)), ['c1']);
    });

    test('an end of any kind makes room in its group', async (engine) => {
      const ports = await engine.ports();
      const worker = new PortWorker(ports, 'a', bounded(1));
      await addAll(worker, ...many('a', 6));
      for (const kind of ['complete', 'fail', 'retry', 'complete'] as const) {
        const [job] = (await worker.turn(3)).jobs;
        assert.ok(job);
        assert.equal((await worker.turn(3, { idle: false })).jobs.length, 0);
        await worker.hand(endOf(job, kind, '', kind === 'retry' ? 1_000 : 0));
      }
      const [fifth] = (await worker.turn(3)).jobs;
      assert.ok(fifth);
      assert.equal(await ports.queue.cancel(bounded(1), fifth.id), 'processing');
      assert.deepEqual(ids(await worker.turn(3)), ['a6']);
    });

    test('a group comes back in all priorities in which it waits', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a', bounded(1));
      await worker.add(...[9, 5, 1, 9].map((priority, index) => ({ id: `j${index}`, group: 'g', priority })));
      const order: string[] = [];
      for (let round = 0; round < 4; round++) {
        const { jobs } = await worker.turn(9);
        assert.equal(jobs.length, 1);
        order.push(...jobs.map((job) => job.id));
        await worker.hand(...jobs.map((job) => endOf(job, 'complete')));
      }
      assert.deepEqual(order, ['j0', 'j3', 'j1', 'j2']);
    });

    test('what is given back, tried again or falls due stands before the fresh ones of its group', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a', bounded(1));
      await addAll(worker, ...many('a', 3));
      await worker.add({ id: 'late', group: 'a', delayMs: 500 });
      const [first] = (await worker.turn(1)).jobs;
      assert.ok(first);
      await worker.hand(endOf(first, 'return'));
      const [again] = (await worker.turn(1)).jobs;
      assert.deepEqual([again?.id, again?.attempt], ['a1', 1]);
      await engine.advance(600);
      assert.ok(again);
      assert.deepEqual(ids(await worker.turn(1, { ends: [endOf(again, 'retry', '', 1_000)] })), ['late']);
      await engine.advance(1_100);
      const [late] = [{ ...again, id: 'late', attempt: 1 }];
      assert.deepEqual(ids(await worker.turn(1, { ends: [endOf(late, 'complete')] })), ['a1']);
    });

    test('what a dead worker held goes back to its groups, and counts there no more', async (engine) => {
      const ports = await engine.ports();
      const [dead, other] = [new PortWorker(ports, 'dead', bounded(2)), new PortWorker(ports, 'b', bounded(2))];
      await addAll(dead, ...many('a', 3), ...many('b', 2));
      assert.equal(dataOf(await dead.turn(9)), 'a1 b1 a2 b2');
      assert.equal((await other.turn(9)).jobs.length, 0);
      await engine.advance(6_000);
      const { jobs } = await other.turn(9);
      assert.deepEqual(
        ids({ jobs } as QueueTurnReply).toSorted((x, y) => x.localeCompare(y)),
        ['a1', 'a2', 'b1', 'b2'],
      );
      await other.hand(...jobs.map((job) => endOf(job, 'complete')));
      const [last] = (await other.turn(9)).jobs;
      assert.equal(last?.id, 'a3');
      await other.hand(endOf(last, 'complete'));
      await idle(ports);
    });

    test('a job that must run alone waits for the others of its group, and they let it go first', async (engine) => {
      const ports = await engine.ports();
      const address = bounded(1);
      for (const name of ['a', 'b']) {
        const dying = new PortWorker(ports, name, address);
        if (name === 'a') await addAll(dying, 'g1');
        assert.deepEqual(ids(await dying.turn(1)), ['g1']);
        await engine.advance(6_000);
      }
      const [c, d] = [new PortWorker(ports, 'c', address), new PortWorker(ports, 'd', address)];
      await addAll(c, 'g2', 'x1', 'x2', 'x3');
      const first = await c.turn(2);
      assert.deepEqual([first.alone, ids(first)], [true, ['g1']]);
      const second = await d.turn(2, { idle: false });
      assert.deepEqual(ids(second), ['x1']);
      const [g1] = first.jobs;
      assert.ok(g1);
      await c.hand(endOf(g1, 'complete'));
      assert.deepEqual(ids(await c.turn(2)), ['g2']);
    });

    test('nobody is held up by a job that must run alone while its group runs another', async (engine) => {
      const ports = await engine.ports();
      const [a, b, c] = ['a', 'b', 'c'].map((name) => new PortWorker(ports, name, bounded(2))) as [
        PortWorker,
        PortWorker,
        PortWorker,
      ];
      await addAll(a, ...many('g', 2));
      assert.equal((await a.turn(1)).jobs.length, 1);
      await engine.advance(6_000);
      assert.deepEqual(ids(await b.turn(2)), ['g1', 'g2']);
      await engine.advance(6_000);
      const tight = bounded(1);
      const [x, y] = [new PortWorker(ports, 'x', tight), new PortWorker(ports, 'y', tight)];
      await addAll(x, 'g3', 'y1', 'y2', 'y3');
      const alone = await x.turn(4);
      assert.deepEqual([alone.alone, ids(alone)], [true, ['g1']]);
      const beside = await y.turn(1);
      assert.deepEqual([beside.alone, ids(beside), beside.waitingForIdle], [false, ['y1'], 0]);
      assert.equal((await c.turn(0)).waitingForIdle, 0);
    });

    test('a cancelled job is passed over, and its id can be used again', async (engine) => {
      const ports = await engine.ports();
      const address: QueueAddress = { ...bounded(1), keepCompletedMs: 0 };
      const worker = new PortWorker(ports, 'a', address);
      await addAll(worker, ...many('a', 3), 'b1');
      assert.equal(await ports.queue.cancel(address, 'a2'), 'pending');
      await addAll(worker, 'a2');
      assert.equal(await ports.queue.cancel(address, 'b1'), 'pending');
      assert.equal((await ports.queue.counts(address)).pending, 3);
      const order: string[] = [];
      for (let round = 0; round < 3; round++) {
        const { jobs } = await worker.turn(9);
        order.push(...jobs.map((job) => job.id));
        await worker.hand(...jobs.map((job) => endOf(job, 'complete')));
      }
      assert.deepEqual(order, ['a1', 'a3', 'a2']);
      await idle(ports);
    });

    test('a thousand cancelled jobs hold nobody up', async (engine) => {
      const ports = await engine.ports();
      const worker = new PortWorker(ports, 'a');
      const cancelled = Array.from({ length: 1_200 }, (_, index) => `c${index}`);
      for (let start = 0; start < 1_200; start += 400)
        await worker.add(...cancelled.slice(start, start + 400).map((id) => ({ id, group: 'g' })));
      for (let start = 0; start < 1_200; start += 100)
        await Promise.all(cancelled.slice(start, start + 100).map((id) => ports.queue.cancel(addressOf('q'), id)));
      await addAll(worker, 'g1');
      const found: string[] = [];
      for (let turn = 0; turn < 4 && found.length === 0; turn++) {
        const reply = await worker.turn(1);
        found.push(...ids(reply));
        assert.ok(found.length > 0 || reply.cut);
      }
      assert.deepEqual(found, ['g1']);
    });

    test('limits, pause, and the rate of the queue hold for groups too', async (engine) => {
      const ports = await engine.ports();
      const address = { ...addressOf('q'), limits: { running: 3, starts: 4, windowMs: 5_000, runningInGroup: 2 } };
      const worker = new PortWorker(ports, 'a', address);
      await addAll(worker, ...many('a', 3), ...many('b', 3));
      await ports.queue.pause(address, 'taking', true);
      assert.equal((await worker.turn(9)).jobs.length, 0);
      await ports.queue.pause(address, 'taking', false);
      const first = await worker.turn(9);
      assert.equal(dataOf(first), 'a1 b1 a2');
      const ends = first.jobs.map((job) => endOf(job, 'complete'));
      assert.equal(dataOf(await worker.turn(9, { ends, idle: false })), 'b2');
      await engine.advance(5_100);
      await ports.queue.renew(address, worker.self, ['b2']);
      assert.equal(dataOf(await worker.turn(9, { idle: false })), 'a3 b3');
    });

    test('failed jobs go back to their groups', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { attempts: 1 });
      for (const group of ['a', 'a', 'b']) await queue.add(group, { group });
      const bad = queue.work(() => Promise.reject(new Error('no')));
      await eventually(async () => assert.equal((await queue.counts()).failed, 3));
      await bad.close();
      assert.equal(await queue.retryMany(), 3);
      const seen: string[] = [];
      const good = queue.work(({ group = '' }) => void seen.push(group));
      await eventually(() => assert.equal(seen.length, 3));
      await good.close();
      // Which failed first is not told; that two of one group do not follow each other while another waits is.
      assert.deepEqual([seen.toSorted(), seen[0] === seen[1]], [['a', 'a', 'b'], false]);
    });

    test('draining removes what waits in groups, parked or not, and leaves what runs', async (engine) => {
      const ports = await engine.ports();
      const address = bounded(1);
      const worker = new PortWorker(ports, 'a', address);
      await addAll(worker, ...many('a', 4), ...many('b', 3), 'c1');
      await worker.add({}, { group: 'c', id: 'cx', priority: 2 });
      const running = await worker.turn(2);
      await ports.queue.cancel(address, 'b2');
      let removed = 0;
      for (let more = true; more;) {
        const step = await ports.queue.drain(address, 3);
        removed += step.removed;
        ({ more } = step);
      }
      assert.equal(removed, 7);
      await addAll(worker, 'a9', 'c9');
      const ends = running.jobs.map((job) => endOf(job, 'complete'));
      const after = await worker.turn(9, { ends });
      assert.equal(
        ids(after)
          .toSorted((x, y) => x.localeCompare(y))
          .join(' '),
        'a9 c9',
      );
      await worker.hand(...after.jobs.map((job) => endOf(job, 'complete')));
      await idle(ports);
    });

    test('an obliterated queue knows no groups, and can be used again', async (engine) => {
      const state = await engine.open();
      const queue = state.queue<number>('q', { groups: { concurrency: 1 } });
      await queue.addMany([1, 2, 3].map((data) => ({ data, group: 'g' })));
      await queue.obliterate();
      assert.equal((await queue.counts()).pending, 0);
      await queue.addMany([4, 5].map((data) => ({ data, group: 'g' })));
      const seen: number[] = [];
      queue.work(({ data }) => void seen.push(data), { concurrency: 5 });
      await eventually(() => assert.deepEqual(seen, [4, 5]));
    });

    test('a bound of one runs the jobs of a group one after the other, over all workers', async (engine) => {
      const state = await engine.open();
      const queue = state.queue<{ n: number }>('q', { record: 'hash', groups: { concurrency: 1 } });
      let running = 0;
      let most = 0;
      let done = 0;
      const handler = async (): Promise<void> => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        done++;
      };
      for (let worker = 0; worker < 3; worker++) queue.work(handler, { concurrency: 3 });
      await queue.addMany(Array.from({ length: 40 }, (_, n) => ({ data: { n }, group: 'one' })));
      await eventually(() => assert.equal(done, 40));
      assert.equal(most, 1);
    });
  });
}
