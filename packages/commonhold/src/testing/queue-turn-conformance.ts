import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { EngineKind } from './engine.js';
import { addressOf, endOf, plainJob, PortWorker, runAll, whenStatus } from './queue-runs.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually, pause } from './waiting.js';

/** What the turns of workers must do on every twin, whatever dies, is lost or comes late. */
export function queueTurnConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue turn', (test) => {
    test('what a dead worker held is taken over when its lease ends', async (engine) => {
      const [dead, alive] = [new PortWorker(await engine.ports(), 'dead'), (await engine.open()).queue<number>('q')];
      await alive.addMany([{ data: 1 }, { data: 2 }, { data: 3 }]);
      const taken = await dead.turn(2);
      assert.equal(taken.jobs.length, 2);
      const seen: number[] = [];
      alive.work(({ data }) => void seen.push(data));
      await eventually(() => assert.deepEqual(seen, [3]));
      await engine.advance(4_000);
      assert.deepEqual(seen, [3]);
      await engine.advance(1_500);
      await eventually(() => assert.deepEqual(seen, [3, 1, 2]));
      assert.deepEqual(await dead.hand(...taken.jobs.map((job) => endOf(job, 'complete', '"late"'))), [
        'superseded',
        'superseded',
      ]);
      await eventually(async () => assert.equal((await alive.totals()).completed, 3));
    });

    test('H.11: a lease ends with its last millisecond, not before', async (engine) => {
      const ports = await engine.ports();
      const [dead, alive] = [new PortWorker(ports, 'dead'), new PortWorker(ports, 'alive')];
      await dead.add({});
      await dead.turn(1);
      const { lookAgainMs = 0 } = await alive.turn(1);
      assert.ok(lookAgainMs > 4_000 && lookAgainMs <= 5_001, String(lookAgainMs));
      await engine.advance(lookAgainMs - 1_000);
      assert.equal((await alive.turn(1)).jobs.length, 0);
      await engine.advance(1_000);
      assert.equal((await alive.turn(1)).jobs.length, 1);
    });

    test('H.5: a job whose workers keep dying runs alone, then fails alone', async (engine) => {
      const ports = await engine.ports();
      const worker = (name: string): PortWorker => new PortWorker(ports, name);
      await worker('a').add({ id: 'poison', options: '{"attempts":1}' }, { id: 'innocent' });
      assert.equal((await worker('a').turn(2)).jobs.length, 2);
      await engine.advance(6_000);
      assert.equal((await worker('b').turn(2)).jobs.length, 2);
      await engine.advance(6_000);
      const c = worker('c');
      const busy = await c.turn(2, { idle: false });
      assert.deepEqual([busy.jobs.length, busy.waitingForIdle], [0, 2]);
      const alone = await c.turn(2);
      assert.deepEqual([alone.jobs.map(({ id }) => id), alone.alone], [['poison'], true]);
      const again = await c.turn(0, { known: [] });
      assert.deepEqual([again.jobs.map(({ id }) => id), again.alone], [['poison'], true]);
      await engine.advance(6_000);
      const after = await worker('d').turn(2);
      assert.deepEqual([after.jobs.map(({ id }) => id), after.alone], [['innocent'], true]);
      const poison = await ports.queue.get(addressOf('q'), 'poison');
      // A death says nothing of the handler, so the job is started once more, however few attempts it has.
      const { status, attempts, error } = poison ?? {};
      assert.deepEqual([status, attempts, error], ['failed', 3, 'Its worker died 3 times while running it']);
    });

    test('one busy worker at a time takes nothing until it is free for what must run alone', async (engine) => {
      const ports = await engine.ports();
      for (const name of ['a', 'b']) {
        const dying = new PortWorker(ports, name);
        if (name === 'a') await dying.add({ id: 'x' });
        assert.equal((await dying.turn(1)).jobs.length, 1);
        await engine.advance(6_000);
      }
      const [c, d] = [new PortWorker(ports, 'c'), new PortWorker(ports, 'd')];
      await c.add({}, {}, {}, {});
      assert.equal((await c.turn(1, { idle: false })).waitingForIdle, 1);
      const other = await d.turn(1, { idle: false });
      const drainer = other.waitingForIdle === 1 ? d : c;
      const free = drainer === d ? c : d;
      assert.equal((await free.turn(1, { idle: false })).jobs.length, drainer === d ? 0 : 1);
    });

    test('workers that wait are woken when their queue goes on', async (engine) => {
      const ports = await engine.ports();
      const setPaused = (paused: boolean): Promise<void> => ports.queue.pause(addressOf('q'), 'taking', paused);
      const [a, b] = [new PortWorker(ports, 'a'), new PortWorker(ports, 'b')];
      await a.add({});
      await setPaused(true);
      assert.equal((await a.turn(1)).waitingWorkers, 1);
      await setPaused(false);
      await setPaused(true);
      // Whoever was woken stands in the list again only after its next look.
      assert.equal((await b.turn(1)).waitingWorkers, 1);
    });

    test('H.1: what a lost answer gave is given again, and what it took is not taken twice', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      await worker.add({ data: '1' }, { data: '2' }, { data: '3' });
      const { jobs } = await worker.turn(2);
      const [first, second] = jobs;
      assert.ok(first && second);
      const ends = [endOf(first, 'complete', '"r"')];
      await worker.turn(1, { ends });
      const after = await worker.turn(1, { ends, known: [second.id] });
      assert.deepEqual([after.ends, after.jobs.map((job) => String(job.data))], [['superseded'], ['3']]);
      assert.deepEqual((await worker.turn(1, { known: jobs.map((job) => job.id) })).jobs.length, 1);
      assert.equal((await worker.turn(1)).jobs.length, 0);
    });

    test('a turn that comes after a later one does nothing', async (engine) => {
      const ports = await engine.ports();
      const worker = new PortWorker(ports, 'a');
      await worker.add({}, {});
      const { jobs } = await worker.turn(1, { number: 5 });
      const ends = jobs.map((job) => endOf(job, 'complete'));
      for (const number of [5, 4]) {
        const late = await worker.turn(1, { number, ends });
        assert.deepEqual([late.ends, late.jobs], [['superseded'], []]);
      }
      assert.deepEqual((await worker.turn(1, { number: 6, ends })).ends, ['done']);
      assert.equal((await new PortWorker(ports, 'b').turn(1, { number: 1 })).jobs.length, 0);
    });

    test('H.1: a batch that is sent again is added once', async (engine) => {
      const { queue } = await engine.ports();
      const address = addressOf('q');
      const jobs = [plainJob, { ...plainJob, id: 'own' }, { ...plainJob, id: 'own' }];
      const batch = (number: number, adder: string): Promise<unknown> => queue.add(address, { adder, number, jobs });
      const first = await batch(1, 'a:1');
      assert.deepEqual(await batch(1, 'a:1'), first);
      assert.notDeepEqual(await batch(1, 'b:1'), first);
      assert.equal((await queue.counts(address)).pending, 3);
      for (let number = 2; number <= 33; number++) await batch(number, 'a:1');
      assert.deepEqual(await batch(1, 'a:1'), []);
      assert.equal((await queue.counts(address)).pending, 35);
      assert.equal((await queue.totals(address)).total, 35);
    });

    test('a worker that leaves with jobs in hand leaves them to others', async (engine) => {
      const ports = await engine.ports();
      const [leaving, other] = [new PortWorker(ports, 'a'), new PortWorker(ports, 'b')];
      await leaving.add({});
      await leaving.turn(1);
      await ports.queue.leave(addressOf('q'), leaving.self);
      await engine.advance(6_000);
      assert.equal((await other.turn(1)).jobs.length, 1);
    });

    test('jobs that are given back stand in front, with no attempt charged; later ones wait their time', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      await worker.add({ data: '1' }, { data: '2' }, { data: '3' }, { data: '4' });
      const [first, second, third] = (await worker.turn(3)).jobs;
      assert.ok(first && second && third);
      await worker.hand(endOf(third, 'return', '', 1_000), endOf(second, 'return'), endOf(first, 'return'));
      const again = await worker.turn(4);
      assert.deepEqual(
        again.jobs.map(({ data, attempt }) => [String(data), attempt]),
        [
          ['1', 1],
          ['2', 1],
          ['4', 1],
        ],
      );
      await engine.advance(1_100);
      const [later] = (await worker.turn(1)).jobs;
      assert.deepEqual([String(later?.data), later?.attempt], ['3', 1]);
    });

    test('an answer carries no more than it can, and the rest comes with the next ones', async (engine) => {
      const worker = new PortWorker(await engine.ports(), 'a');
      const data = 'x'.repeat(700_000);
      const large = Array.from({ length: 5 }, () => ({ data }));
      for (const job of large) await worker.add(job);
      const first = await worker.turn(5);
      assert.deepEqual([first.jobs.length, first.cut], [2, true]);
      const second = await worker.turn(3, { idle: false });
      assert.deepEqual([second.jobs.length, second.cut], [2, true]);
      const third = await worker.turn(1, { idle: false });
      assert.deepEqual([third.jobs.length, third.cut], [1, false]);
      const known: string[] = [];
      for (const expected of [2, 2, 1]) {
        const handed = await worker.turn(0, { known: [...known] });
        assert.deepEqual([handed.jobs.length, handed.cut], [expected, expected === 2]);
        known.push(...handed.jobs.map((job) => job.id));
      }
    });

    test('a page carries no more than it can either', async (engine) => {
      const queue = (await engine.open()).queue<Buffer>('q');
      for (let n = 0; n < 4; n++)
        await queue.add(Buffer.concat([randomBytes(700_000), Buffer.from([n])]), { topic: 't' });
      const first = await queue.list('t');
      assert.equal(first.jobs.length, 2);
      const second = await queue.list('t', { cursor: first.cursor ?? '' });
      assert.deepEqual(
        [...first.jobs, ...second.jobs].map((job) => job.data.at(-1)),
        [3, 2, 1, 0],
      );
    });

    test('data that cannot be read fails its job alone, saying so', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      const adder = new PortWorker(await engine.ports(), 'a');
      const bad = await adder.add(
        { data: '{"a":' },
        { data: Buffer.from([3, 1, 2]) },
        { id: 'listed', data: '[', topic: 't' },
      );
      const good = await queue.add('good', { topic: 't' });
      queue.work(() => undefined);
      await whenStatus(queue, good.id, 'completed');
      for (const { id } of bad) await assert.rejects(queue.get(id), { code: 'CorruptState' });
      await eventually(async () => assert.equal((await queue.totals()).failed, 3));
      assert.deepEqual(
        (await queue.list('t')).jobs.map((job) => job.data),
        ['good'],
      );
    });

    test('a job of a newer version waits for a worker that can read it, at no cost', async (engine) => {
      const queue = (await engine.open()).queue<string>('q', { attempts: 1 });
      const adder = new PortWorker(await engine.ports(), 'a');
      const [added] = await adder.add({ data: Buffer.from([0x1f, 1]) });
      const worker = queue.work(() => undefined);
      await eventually(async () => assert.equal((await queue.counts()).delayed, 1));
      await worker.close();
      await engine.advance(6_000);
      const [job] = (await adder.turn(1)).jobs;
      assert.deepEqual([job?.id, job?.attempt], [added?.id, 1]);
    });

    test('a count of waiting jobs does not outlive them', async (engine) => {
      const queue = (await engine.open()).queue<number>('q');
      for (let round = 0; round < 3; round++) {
        await queue.addMany(Array.from({ length: 20 }, (_, data) => ({ data, priority: data % 3 })));
        await runAll(queue, 20);
      }
      await pause(20);
      assert.deepEqual(await queue.counts(), { pending: 0, delayed: 0, processing: 0, failed: 0 });
    });
  });
}
