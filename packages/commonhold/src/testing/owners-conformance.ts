import assert from 'node:assert/strict';
import { isCommonholdError } from '../errors.js';
import type { Owners } from '../owners/owners.js';
import type { Engine, EngineKind } from './engine.js';
import { pass, passBeats, type Process, startProcess } from './processes.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

async function refuses(work: () => unknown, code: string = 'InvalidArgument'): Promise<void> {
  await assert.rejects(
    async () => work(),
    (error) => isCommonholdError(error) && error.code === code,
  );
}

/** Events with owners by the name they have here: `came a`, `gone a x,y`. */
async function record(owners: Owners): Promise<string[]> {
  const heard: string[] = [];
  await owners.subscribe((event) => {
    const name = event.owner.slice(0, event.owner.indexOf('#'));
    heard.push(event.type === 'gone' ? `gone ${name} ${event.holds.join(',')}` : `came ${name}`);
  });
  return heard;
}

async function names(owners: Owners): Promise<string[]> {
  return (await owners.orphans()).map(({ name }) => name);
}

async function start(engine: Engine, owner: string): Promise<Process & { readonly owners: Owners }> {
  const process = await startProcess(engine, { owner });
  await process.state.owners.list();
  await process.clock.planned();
  return { ...process, owners: process.state.owners };
}

/** What every twin of owners must do. */
export function ownersConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'owners', (test) => {
    test('S2.13: every process sees which are alive and what each holds', async (engine) => {
      const [a, b] = [await start(engine, 'a'), await start(engine, 'b')];
      await a.owners.hold('y');
      await a.owners.hold('x');
      for (const { owners } of [a, b]) {
        const live = await owners.list();
        assert.deepEqual(live.map(({ id }) => id).toSorted(), [a.state.owner, b.state.owner].toSorted());
        const [first] = live.filter(({ name }) => name === 'a');
        assert.deepEqual(
          first?.holds.map(({ name }) => name),
          ['x', 'y'],
        );
        assert.ok(first.holds.every(({ sinceMs }) => sinceMs >= first.startedAtMs));
        assert.ok(first.lastBeatAtMs >= first.startedAtMs);
      }
    });

    test('what is released is held no more and no orphan', async (engine) => {
      const { owners, state } = await start(engine, 'a');
      const [one, two] = [await owners.hold('x'), await owners.hold('x')];
      await Promise.all([one.release(), one.release()]);
      assert.equal((await owners.list())[0]?.holds.length, 1);
      await two.release();
      await using _ = await owners.hold('y');
      assert.deepEqual(
        (await owners.list())[0]?.holds.map(({ name }) => name),
        ['y'],
      );
      await _.release();
      await state.close();
      const other = await start(engine, 'b');
      assert.deepEqual(await other.owners.orphans(), []);
    });

    test('a process that closes is gone at once, and leaves what it did not release', async (engine) => {
      const [a, b] = [await start(engine, 'a'), await start(engine, 'b')];
      const heard = await record(b.owners);
      await a.owners.hold('x');
      await (await a.owners.hold('y')).release();
      const owner = a.state.owner;
      await a.state.close();
      const [orphan, ...rest] = await b.owners.orphans();
      assert.deepEqual([orphan?.name, orphan?.owner, rest], ['x', owner, []]);
      assert.deepEqual(
        (await b.owners.list()).map(({ name }) => name),
        ['b'],
      );
      await eventually(() => assert.deepEqual(heard, ['gone a x']));
      await refuses(() => a.owners.list(), 'Closed');
    });

    test('a call that is under way while its process closes does not bring the process back', async (engine) => {
      const [a, b] = [await start(engine, 'a'), await start(engine, 'b')];
      await a.owners.list();
      const holding = a.owners.hold('x').catch(() => undefined);
      await a.state.close();
      await holding;
      assert.deepEqual(
        (await b.owners.list()).map(({ name }) => name),
        ['b'],
      );
    });

    test('a process that died is not alive when its lease ends, and then every other sees its orphans', async (engine) => {
      const [a, b, c] = [await start(engine, 'a'), await start(engine, 'b'), await start(engine, 'c')];
      const heard = await Promise.all([record(b.owners), record(c.owners)]);
      await a.owners.hold('x');
      await a.owners.hold('y');
      await passBeats(engine, 10_000, b, c);
      assert.equal((await b.owners.list()).length, 3);
      await engine.advance(3_000);
      assert.equal((await b.owners.list()).length, 2);
      b.clock.advance(3_000);
      c.clock.advance(3_000);
      await pass(engine, 0, b, c);
      assert.deepEqual(
        [await names(b.owners), await names(c.owners)],
        [
          ['x', 'y'],
          ['x', 'y'],
        ],
      );
      await passBeats(engine, 8_000, b, c);
      await eventually(() => assert.deepEqual(heard, [['gone a x,y'], ['gone a x,y']]));
    });

    test('of all callers in all processes exactly one takes an orphan over', async (engine) => {
      const processes = [await start(engine, 'a'), await start(engine, 'b'), await start(engine, 'c')];
      for (let round = 0; round < 20; round++) {
        const dead = await start(engine, 'd');
        await dead.owners.hold('x');
        await dead.state.close();
        const callers = Array.from({ length: 12 }, (_, index) => processes[index % 3] as Process & { owners: Owners });
        const holds = await Promise.all(callers.map(({ owners }) => owners.takeOver('x')));
        const [taken, ...rest] = holds.filter((hold) => hold !== undefined);
        assert.deepEqual([taken?.name, rest], ['x', []]);
        assert.deepEqual(await names(processes[0]?.owners as Owners), []);
        await taken?.release();
      }
    });

    test('what is no orphan is not taken over', async (engine) => {
      const [a, b] = [await start(engine, 'a'), await start(engine, 'b')];
      assert.equal(await a.owners.takeOver('never'), undefined);
      const hold = await a.owners.hold('x');
      assert.equal(await b.owners.takeOver('x'), undefined);
      assert.equal(await a.owners.takeOver('x'), undefined);
      await hold.release();
      assert.equal(await b.owners.takeOver('x'), undefined);
    });

    test('what several hold is an orphan when the last of them has died, and no more when one holds it', async (engine) => {
      const [a, b, c] = [await start(engine, 'a'), await start(engine, 'b'), await start(engine, 'c')];
      await a.owners.hold('x');
      await b.owners.hold('x');
      await a.state.close();
      assert.deepEqual(await names(c.owners), []);
      await b.state.close();
      assert.deepEqual(await names(c.owners), ['x']);
      await c.owners.hold('x');
      assert.deepEqual(await names(c.owners), []);
    });

    test('a process that is started again under the same name is another owner', async (engine) => {
      const dead = await start(engine, 'web');
      await dead.owners.hold('x');
      const again = await start(engine, 'web');
      assert.equal((await again.owners.list()).length, 2);
      await passBeats(engine, 16_000, again);
      assert.deepEqual(await again.owners.list().then((live) => live.map(({ id }) => id)), [again.state.owner]);
      assert.deepEqual(await names(again.owners), ['x']);
      const taken = await again.owners.takeOver('x');
      assert.equal(taken?.name, 'x');
    });

    test('who was thought dead gets back what nobody took over, and learns of the rest', async (engine) => {
      const [away, other] = [await start(engine, 'away'), await start(engine, 'other')];
      const [kept, lost] = [await away.owners.hold('kept'), await away.owners.hold('lost')];
      await passBeats(engine, 16_000, other);
      assert.deepEqual(await names(other.owners), ['kept', 'lost']);
      const taken = await other.owners.takeOver('lost');
      await taken?.release();
      away.clock.advance(16_000);
      await pass(engine, 0, away);
      assert.deepEqual([kept.signal.aborted, lost.signal.aborted], [false, true]);
      assert.deepEqual(await names(other.owners), []);
      const [live] = (await other.owners.list()).filter(({ name }) => name === 'away');
      assert.deepEqual(
        live?.holds.map(({ name }) => name),
        ['kept'],
      );
      await lost.release();
      await kept.release();
    });

    test('so does one that holds something before it beats again', async (engine) => {
      const [away, other] = [await start(engine, 'away'), await start(engine, 'other')];
      await away.owners.hold('x');
      await passBeats(engine, 16_000, other);
      await away.owners.hold('y');
      assert.deepEqual(await names(other.owners), []);
      const [live] = (await other.owners.list()).filter(({ name }) => name === 'away');
      assert.deepEqual(
        live?.holds.map(({ name }) => name),
        ['x', 'y'],
      );
    });

    test('where all were out of reach, nobody buries the others for the length of a lease', async (engine) => {
      const [a, b] = [await start(engine, 'a'), await start(engine, 'b')];
      await a.owners.hold('x');
      await passBeats(engine, 16_000, a, b);
      await engine.advance(60_000);
      for (const { clock } of [a, b]) clock.advance(60_000);
      await pass(engine, 0, b);
      await pass(engine, 0, b);
      await passBeats(engine, 16_000, a, b);
      assert.deepEqual(await names(b.owners), []);
      assert.equal((await b.owners.list()).length, 2);
    });

    test('every subscriber hears who comes and goes, once', async (engine) => {
      const [a, b] = [await start(engine, 'a'), await start(engine, 'b')];
      const heard = await Promise.all([record(a.owners), record(b.owners)]);
      const c = await start(engine, 'c');
      await passBeats(engine, 8_000, a, b, c);
      await c.state.close();
      const expected = ['came c', 'gone c '];
      await eventually(() => assert.deepEqual(heard, [expected, expected]));
    });

    test('S2.14: orphans wait for a process to come, for seven days', async (engine) => {
      const dead = await start(engine, 'dead');
      await dead.owners.hold('x');
      await dead.state.close();
      await engine.advance(6 * 86_400_000);
      const later = await start(engine, 'later');
      assert.deepEqual(await names(later.owners), ['x']);
      await engine.advance(86_400_000 + 1_000);
      assert.deepEqual(await names(later.owners), []);
      assert.equal(await later.owners.takeOver('x'), undefined);
    });

    test('names that look like something else are themselves', async (engine) => {
      const { owners, state } = await start(engine, 'a b{c}');
      const odd = ['*', 'a:b', '{x}', '%2A', 'é', '日本', ' ', 'a\nb', 'h.s', 's', 'x'.repeat(512)];
      for (const name of odd) await owners.hold(name);
      const [live] = await owners.list();
      assert.equal(live?.name, 'a b{c}');
      assert.deepEqual(live.holds.map(({ name }) => name).toSorted(), odd.toSorted());
      await state.close();
      const other = await start(engine, 'b');
      assert.deepEqual((await names(other.owners)).toSorted(), odd.toSorted());
      for (const name of odd) assert.equal((await other.owners.takeOver(name))?.name, name);
    });

    test('what is no name is refused, and so is the 5,001st', async (engine) => {
      const { owners } = await start(engine, 'a');
      for (const name of ['', 'x'.repeat(513), '\ud800', 5 as unknown as string]) {
        await refuses(() => owners.hold(name));
        await refuses(() => owners.takeOver(name));
      }
      const all = Array.from({ length: 5_000 }, (_, index) => `n${index}`);
      for (let from = 0; from < all.length; from += 500) {
        await Promise.all(all.slice(from, from + 500).map((name) => owners.hold(name)));
      }
      await refuses(() => owners.hold('one more'), 'Overloaded');
      await owners.hold('n0');
      assert.equal((await owners.list())[0]?.holds.length, 5_000);
    });
  });
}
