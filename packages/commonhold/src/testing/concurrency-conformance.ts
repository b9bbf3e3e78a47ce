import assert from 'node:assert/strict';
import type { Concurrency, SlotOptions } from '../concurrency/concurrency.js';
import type { Slot } from '../concurrency/slot.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { pause, waitUntil } from './waiting.js';

/** What every twin that limits how many may run at once must do. */
export function concurrencyConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'concurrency', (test) => {
    test('gives as many slots as the limit, and one more for each that is released', async (engine) => {
      const limit = (await engine.open()).concurrency('l', 2);
      const [first, second] = [await slot(limit, 's'), await slot(limit, 's')];
      assert.equal(await limit.acquire('s'), undefined);
      assert.deepEqual(await limit.count('s'), { used: 2, waiting: 0 });
      assert.deepEqual([await first.release(), await first.release()], [true, false]);
      const third = await slot(limit, 's');
      assert.equal(await limit.acquire('s'), undefined);
      assert.deepEqual([await second.release(), await third.release()], [true, true]);
      assert.deepEqual(await limit.count('s'), { used: 0, waiting: 0 });
    });

    test('however many processes race, no more hold slots than the limit', async (engine) => {
      const states = await Promise.all([engine.open(), engine.open(), engine.open()]);
      const limits = states.map((state) => state.concurrency('l', 7));
      const slots = await Promise.all(
        Array.from({ length: 90 }, (_, n) => (limits[n % 3] as Concurrency).acquire('s')),
      );
      assert.equal(slots.filter((held) => held !== undefined).length, 7);
      assert.equal((await (limits[0] as Concurrency).count('s')).used, 7);
    });

    test('the slot of a holder that is not heard of returns when its lease has ended, not sooner', async (engine) => {
      const limit = (await engine.open()).concurrency('l', 2);
      const port = (await engine.ports()).concurrency;
      const [dead, alive] = [
        { owner: 'dead', id: '1' },
        { owner: 'alive', id: '1' },
      ];
      assert.deepEqual(await port.acquire('l', 's', dead, 2, 10_000, 0), { state: 'held' });
      assert.deepEqual(await port.acquire('l', 's', alive, 2, 60_000, 0), { state: 'held' });
      await engine.advance(9_000);
      assert.equal(await limit.acquire('s'), undefined);
      await engine.advance(1_001);
      const held = await slot(limit, 's');
      assert.equal(await limit.acquire('s'), undefined);
      assert.equal(await port.release('l', 's', dead), false);
      assert.equal(await port.renew('l', 's', dead, 10_000), false);
      assert.equal((await limit.count('s')).used, 2);
      assert.deepEqual([await held.release(), await port.release('l', 's', alive)], [true, true]);
    });

    test('an answer that was lost is given again, and costs no second slot', async (engine) => {
      const port = (await engine.ports()).concurrency;
      const member = { owner: 'o', id: '1' };
      for (let time = 0; time < 3; time++) {
        assert.deepEqual(await port.acquire('l', 's', member, 2, 10_000, 0), { state: 'held' });
      }
      assert.deepEqual(await port.count('l', 's'), { used: 1, waiting: 0 });
    });

    test('those that wait are given slots in the order they came, woken at once', async (engine) => {
      const states = await Promise.all([engine.open(), engine.open()]);
      const limits = states.map((state) => state.concurrency('l', 2));
      const held = [await slot(limits[0] as Concurrency, 's'), await slot(limits[1] as Concurrency, 's')];
      const order: number[] = [];
      const waiting: Promise<Slot>[] = [];
      for (let n = 0; n < 4; n++) {
        const got = slot(limits[n % 2] as Concurrency, 's', { wait: '1m' });
        waiting.push(got.then((one) => (order.push(n), one)));
        await untilWaiting(limits[0] as Concurrency, n + 1);
      }
      await Promise.all(held.map((one) => one.release()));
      await Promise.all(waiting.slice(0, 2).map(async (one) => (await one).release()));
      await Promise.all(waiting.slice(2).map(async (one) => (await one).release()));
      assert.deepEqual(new Set(order), new Set([0, 1, 2, 3]));
      assert.deepEqual(new Set(order.slice(0, 2)), new Set([0, 1]));
      assert.deepEqual(await (limits[0] as Concurrency).count('s'), { used: 0, waiting: 0 });
    });

    test('waiting is bounded, ends with an abort, and leaves no place in the line', async (engine) => {
      const limit = (await engine.open()).concurrency('l', 1);
      const held = await slot(limit, 's');
      const waited = limit.acquire('s', { wait: 20 });
      await engine.advance(0);
      for (let past = 0; past < 20; past++) {
        await pause(2);
        await engine.advance(10);
      }
      assert.equal(await waited, undefined);
      const abort = new AbortController();
      const aborted = limit.acquire('s', { wait: '1h', signal: abort.signal });
      await untilWaiting(limit, 1);
      abort.abort(new Error('enough'));
      await assert.rejects(aborted, /enough/);
      assert.deepEqual(await limit.count('s'), { used: 1, waiting: 0 });
      assert.equal(held.signal.aborted, false);
    });

    test('the limit of a call holds for it', async (engine) => {
      const limit = (await engine.open()).concurrency('l', 1);
      await slot(limit, 's');
      assert.equal(await limit.acquire('s'), undefined);
      await slot(limit, 's', { limit: 3 });
      await slot(limit, 's', { limit: 3 });
      assert.equal(await limit.acquire('s', { limit: 3 }), undefined);
    });

    test('closing a state releases its slots and ends its waiting', async (engine) => {
      const [state, other] = await Promise.all([engine.open(), engine.open()]);
      const limit = state.concurrency('l', 1);
      await slot(limit, 's');
      const waiting = assert.rejects(limit.acquire('s', { wait: '1h' }), { code: 'Closed' });
      await untilWaiting(limit, 1);
      await state.close();
      await waiting;
      assert.deepEqual(await other.concurrency('l', 1).count('s'), { used: 0, waiting: 0 });
      await assert.rejects(limit.acquire('s'), { code: 'Closed' });
    });

    test('limiters, subjects and namespaces do not share slots, whatever their names', async (engine) => {
      const state = await engine.open();
      const other = await engine.open({ namespace: `${state.namespace}x` });
      const names = ['a', 'a:b', 'b', 'a}', '{a', '*', '?', '%3A', ':', ' ', '\n', '::1', 'x'.repeat(600)];
      for (const name of names) for (const subject of names) await slot(state.concurrency(name, 1), subject);
      assert.equal(await state.concurrency('a', 1).acquire('a:b'), undefined);
      await slot(other.concurrency('a', 1), 'a:b');
    });

    test('a name, subject, limit or option that is wrong is refused', async (engine) => {
      const state = await engine.open();
      const invalid = { code: 'InvalidArgument' };
      assert.throws(() => state.concurrency('', 1), invalid);
      for (const limit of [0, -1, 1.5, Number.NaN, Infinity, 1_000_001, '1'] as number[]) {
        assert.throws(() => state.concurrency('l', limit), invalid);
        await assert.rejects(state.concurrency('l', 1).acquire('s', { limit }), invalid);
      }
      assert.throws(() => state.concurrency('l', 1, { lease: 999 }), invalid);
      assert.throws(() => state.concurrency('l', 1, { leaseMs: 1 } as never), invalid);
      await assert.rejects(state.concurrency('l', 1).acquire('s', { weight: 1 } as never), invalid);
      await assert.rejects(state.concurrency('l', 1).acquire('s', { wait: 0 }), invalid);
      for (const subject of ['', '\ud800', undefined, null, 7] as string[]) {
        await assert.rejects(state.concurrency('l', 1).acquire(subject), invalid);
        await assert.rejects(state.concurrency('l', 1).count(subject), invalid);
      }
    });
  });
}

async function slot(limit: Concurrency, subject: string, options: SlotOptions = {}): Promise<Slot> {
  const held = await limit.acquire(subject, options);
  assert(held !== undefined, 'no slot was free');
  return held;
}

function untilWaiting(limit: Concurrency, count: number): Promise<void> {
  return waitUntil(`${count} to wait`, async () => (await limit.count('s')).waiting === count, { everyMs: 2 });
}
