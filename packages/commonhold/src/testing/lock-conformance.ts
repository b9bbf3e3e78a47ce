import assert from 'node:assert/strict';
import { systemClock } from '../clock.js';
import type { HeldLock } from '../lock/held-lock.js';
import type { Lock } from '../lock/lock.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, waitUntil } from './waiting.js';

/** What every lock twin must do. */
export function lockConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'lock', (test) => {
    test('a lock is held by one at a time, and freed by its holder', async (engine) => {
      const [one, two] = await pair(engine);
      const held = await acquired(one);
      assert.equal(await two.tryAcquire(), undefined);
      assert.equal(await one.tryAcquire(), undefined, 'not re-entrant');
      assert.equal(await held.release(), true);
      assert.equal(await (await acquired(two)).release(), true);
    });

    test('releasing twice says so, and does not free what another has', async (engine) => {
      const [one, two] = await pair(engine);
      const held = await acquired(one);
      assert.equal(await held.release(), true);
      const other = await acquired(two);
      assert.equal(await held.release(), false);
      assert.equal(await one.tryAcquire(), undefined);
      assert.equal(await other.release(), true);
    });

    test('H.12: after a takeover the stale holder frees nothing, and the new one does', async (engine) => {
      const store = (await engine.ports()).lock;
      const [stale, fresh] = [member('s'), member('f')];
      await store.acquire('l', stale, 5_500, 0);
      await engine.advance(6_000);
      assert.equal((await store.acquire('l', fresh, 5_500, 0)).state, 'held');
      assert.equal(await store.renew('l', stale, 5_500), false);
      assert.equal(await store.release('l', stale), false);
      assert.equal((await store.status('l')).held, true);
      assert.equal(await store.release('l', fresh), true);
      assert.equal((await store.status('l')).held, false);
    });

    test('H.11: a lease lasts exactly as long as it was asked for, from the last renewal', async (engine) => {
      const store = (await engine.ports()).lock;
      await store.acquire('l', member('a'), 5_500, 0);
      await engine.advance(5_000);
      assert.equal(await store.renew('l', member('a'), 5_500), true);
      await engine.advance(5_000);
      assert.equal((await store.acquire('l', member('b'), 5_500, 0)).state, 'wait');
      await engine.advance(1_000);
      assert.equal(await store.renew('l', member('a'), 5_500), false);
      assert.equal((await store.acquire('l', member('b'), 5_500, 0)).state, 'held');
    });

    test('H.1: asking again after a lost answer gives the same token', async (engine) => {
      const store = (await engine.ports()).lock;
      const first = await store.acquire('l', member('a'), 5_500, 0);
      assert.deepEqual(await store.acquire('l', member('a'), 5_500, 0), first);
      assert.equal(await store.release('l', member('a')), true);
      assert.notDeepEqual(await store.acquire('l', member('a'), 5_500, 0), first);
    });

    test('tokens grow with every acquisition, through releases, takeovers and a day', async (engine) => {
      const store = (await engine.ports()).lock;
      const tokens: number[] = [];
      for (const pauseMs of [0, 0, 6_000, 86_390_000, 90_000_000, 0]) {
        const answer = await store.acquire('l', member(`m${tokens.length}`), 5_500, 0);
        assert.equal(answer.state, 'held');
        if (answer.state === 'held') assert.match(answer.token, /^\d{1,16}$/);
        tokens.push(answer.state === 'held' ? Number(answer.token) : NaN);
        if (pauseMs > 0) await engine.advance(pauseMs);
        else await store.release('l', member(`m${tokens.length - 1}`));
      }
      for (const [index, token] of tokens.entries()) assert.ok(index === 0 || token > (tokens[index - 1] ?? 0));
    });

    test('H.19: two processes racing a thousand times: never two holders, tokens strictly grow', async (engine) => {
      const locks = await pair(engine);
      let holders = 0;
      const tokens: number[] = [];
      const race = async (lock: Lock): Promise<void> => {
        for (let round = 0; round < 250; round++) {
          await lock.run(async ({ guard }) => {
            holders += 1;
            assert.equal(holders, 1);
            tokens.push(Number(guard.token));
            await eventLoopTurn();
            holders -= 1;
          });
        }
      };
      await Promise.all([...locks, ...locks].map(race));
      assert.equal(tokens.length, 1_000);
      for (const [index, token] of tokens.entries()) assert.ok(index === 0 || token > (tokens[index - 1] ?? 0));
    });

    test('those who wait get the lock in the order they came, over several processes', async (engine) => {
      const locks = await Promise.all([1, 2, 3, 4].map(async () => (await engine.open()).lock('l')));
      const holder = await acquired(locks[0]);
      const order: number[] = [];
      const waiting: Promise<void>[] = [];
      for (let place = 0; place < 20; place++) {
        const lock = locks[(place * 3) % 4] as Lock;
        waiting.push(lock.run(() => void order.push(place)));
        await eventually(async () => assert.equal((await lock.status()).waiting, place + 1));
      }
      await holder.release();
      await Promise.all(waiting);
      assert.deepEqual(
        order,
        Array.from({ length: 20 }, (_, place) => place),
      );
    });

    test('the next in line is woken at once', async (engine) => {
      const [one, two] = await pair(engine);
      const startedAtMs = systemClock.monotonic();
      let held = await acquired(one);
      for (let round = 0; round < 6; round++) {
        const lock = round % 2 === 0 ? two : one;
        const next = lock.acquire();
        await eventually(async () => assert.equal((await lock.status()).waiting, 1));
        await held.release();
        const following = await next;
        assert.ok(following);
        held = following;
      }
      // The timer for a lost message would take half a second each time at least.
      assert.ok(systemClock.monotonic() - startedAtMs < 2_500);
    });

    test('who comes when others wait does not go before them', async (engine) => {
      const store = (await engine.ports()).lock;
      await store.acquire('l', member('a'), 9_500, 0);
      const wait = await store.acquire('l', member('b'), 9_500, 3_500);
      assert.deepEqual([wait.state, wait.state === 'wait' && wait.first], ['wait', true]);
      await store.release('l', member('a'));
      const later = await store.acquire('l', member('c'), 9_500, 0);
      assert.deepEqual([later.state, later.state === 'wait' && later.first], ['wait', false]);
      assert.equal((await store.acquire('l', member('b'), 9_500, 3_500)).state, 'held');
      assert.equal((await store.status('l')).waiting, 0);
    });

    test('one that waits and died is passed over', async (engine) => {
      const store = (await engine.ports()).lock;
      await store.acquire('l', member('a'), 60_500, 0);
      await store.acquire('l', member('dead'), 60_500, 3_500);
      await store.acquire('l', member('b'), 60_500, 30_500);
      await engine.advance(4_000);
      assert.equal((await store.status('l')).waiting, 1);
      await store.release('l', member('a'));
      assert.equal((await store.acquire('l', member('b'), 60_500, 3_500)).state, 'held');
    });

    test('one that speaks late has lost its place in a line that was empty before it came', async (engine) => {
      const store = (await engine.ports()).lock;
      await store.acquire('l', member('a'), 60_500, 0);
      await store.acquire('l', member('long'), 60_500, 9_500);
      await store.release('l', member('long'));
      await store.acquire('l', member('b'), 60_500, 2_500);
      await engine.advance(3_000);
      const late = await store.acquire('l', member('b'), 60_500, 0);
      assert.deepEqual([late.state, late.state === 'wait' && late.first], ['wait', false]);
    });

    test('the first in line takes over from a dead holder', async (engine) => {
      const store = (await engine.ports()).lock;
      const lock = (await engine.open()).lock('l');
      await store.acquire('l', member('dead'), 5_500, 0);
      const waiting = lock.acquire();
      await eventually(async () => assert.equal((await lock.status()).waiting, 1));
      await engine.advance(6_000);
      assert.equal((await lock.status()).waiting <= 1, true);
      assert.ok(await waiting);
    });

    test('waiting ends with its bound: undefined, LockTimeout in run, and no place is left', async (engine) => {
      const store = (await engine.ports()).lock;
      await store.acquire('l', member('a'), 60_500, 0);
      const lock = (await engine.open()).lock('l');
      const waiting = [
        lock.acquire({ wait: 50 }),
        assert.rejects(
          lock.run(() => assert.fail('ran'), { wait: 50 }),
          { code: 'LockTimeout' },
        ),
      ];
      await eventually(async () => assert.equal((await lock.status()).waiting, 2));
      await engine.advance(1_000);
      assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
      assert.deepEqual((await lock.status()).waiting, 0);
    });

    test('waiting ends with its signal, and the turn goes to the next', async (engine) => {
      const [one, two] = await pair(engine);
      const held = await acquired(one);
      const controller = new AbortController();
      const reason = new Error('enough');
      const aborted = assert.rejects(two.acquire({ signal: controller.signal }), reason);
      await eventually(async () => assert.equal((await one.status()).waiting, 1));
      const next = two.acquire();
      await eventually(async () => assert.equal((await one.status()).waiting, 2));
      controller.abort(reason);
      await aborted;
      await held.release();
      assert.ok(await next);
      await assert.rejects(two.acquire({ signal: AbortSignal.abort(reason) }), reason);
    });

    test('one that is named and goes away passes the turn on', async (engine) => {
      const store = (await engine.ports()).lock;
      const lock = (await engine.open()).lock('l');
      await store.acquire('l', member('a'), 60_500, 0);
      await store.acquire('l', member('b'), 60_500, 30_500);
      const startedAtMs = systemClock.monotonic();
      for (let round = 0; round < 6; round++) {
        const next = lock.acquire();
        await eventually(async () => assert.equal((await lock.status()).waiting, 2));
        await store.release('l', member('a'));
        assert.equal((await lock.status()).held, false);
        await store.release('l', member('b'));
        await (await next)?.release();
        await store.acquire('l', member('a'), 60_500, 0);
        await store.acquire('l', member('b'), 60_500, 30_500);
      }
      // The timer for a lost message would take half a second each time at least.
      assert.ok(systemClock.monotonic() - startedAtMs < 2_500);
    });

    test('jobs that are given time to end keep their locks while the state closes', async (engine) => {
      const state = await engine.open();
      const [queue, lock] = [state.queue<string, boolean>('q'), state.lock('l')];
      let begun: () => void = () => undefined;
      const running = new Promise<void>((resolve) => (begun = resolve));
      let end: () => void = () => undefined;
      const ending = new Promise<void>((resolve) => (end = resolve));
      let aborted: boolean | undefined;
      queue.work(() =>
        lock.run(async ({ signal }) => {
          begun();
          await ending;
          aborted = signal.aborted;
          return aborted;
        }),
      );
      const { id } = await queue.add('x');
      await running;
      const closing = state.close();
      await eventLoopTurn();
      end();
      await closing;
      assert.equal(aborted, false);
      const other = await engine.open();
      assert.equal((await other.queue('q').get(id))?.status, 'completed');
      assert.equal((await other.lock('l').status()).held, false);
    });

    test('run frees the lock when work throws, and gives its error', async (engine) => {
      const [one, two] = await pair(engine);
      await assert.rejects(
        one.run(() => Promise.reject(new Error('no luck'))),
        { message: 'no luck' },
      );
      assert.equal(await two.run(() => 7), 7);
      assert.equal((await two.status()).held, false);
    });

    test('await using frees the lock', async (engine) => {
      const [one, two] = await pair(engine);
      {
        await using held = await acquired(one);
        assert.equal(held.guard.lock, 'l');
        assert.equal((await two.status()).held, true);
      }
      assert.equal((await two.status()).held, false);
    });

    test('status names the process that holds it, its token and lease', async (engine) => {
      const state = await engine.open({ owner: 'über:100%' });
      const lock = state.lock('l', { lease: '20s' });
      assert.deepEqual(await lock.status(), { held: false, waiting: 0 });
      const { guard } = await acquired(lock);
      const status = await lock.status();
      assert.ok(status.held);
      assert.deepEqual([status.owner, status.token, status.waiting], [state.owner, guard.token, 0]);
      assert.ok(status.expiresInMs > 15_000 && status.expiresInMs <= 20_000);
    });

    test('closing a state frees what it holds, aborts work, and lets those go who wait', async (engine) => {
      const state = await engine.open();
      const other = (await engine.open()).lock('l');
      const lock = state.lock('l');
      const held = await acquired(lock);
      const waiting = assert.rejects(lock.acquire(), { code: 'Closed' });
      await eventually(async () => assert.equal((await other.status()).waiting, 1));
      const working = state.lock('m').run(async ({ signal }) => {
        await waitUntil('the signal', () => signal.aborted);
        return (signal.reason as { code: string }).code;
      });
      await eventually(async () => assert.equal((await state.lock('m').status()).held, true));
      await state.close();
      await waiting;
      assert.equal(await working, 'Closed');
      assert.equal((held.signal.reason as { code: string }).code, 'Closed');
      assert.deepEqual(await other.status(), { held: false, waiting: 0 });
      await assert.rejects(lock.tryAcquire(), { code: 'Closed' });
    });

    test('H.15: names with structure, globs and great length stay apart, and namespaces too', async (engine) => {
      const state = await engine.open();
      const elsewhere = await engine.open({ namespace: `${state.namespace}x` });
      const names = ['a', 'a:b', 'a}', '*', 'a*', '[a]', '%3A', ':', ' ', 'ä', 'x'.repeat(600), `${'x'.repeat(599)}y`];
      for (const name of names) await acquired(state.lock(name));
      for (const name of names) assert.equal(await state.lock(name).tryAcquire(), undefined);
      await acquired(elsewhere.lock('a'));
    });

    test('a lease below a second, a bad wait, a bad name and an unknown option are refused', async (engine) => {
      const state = await engine.open();
      for (const lease of [0, -1, 999, Number.NaN, Infinity, '73000d'] as const) {
        assert.throws(() => state.lock('l', { lease }), { code: 'InvalidArgument' });
      }
      assert.throws(() => state.lock(''), { code: 'InvalidArgument' });
      assert.throws(() => state.lock('\ud800'), { code: 'InvalidArgument' });
      assert.throws(() => state.lock('l', { ttl: 1 } as object), { code: 'InvalidArgument' });
      for (const wait of [0, -1, Number.NaN] as const) {
        await assert.rejects(state.lock('l').acquire({ wait }), { code: 'InvalidArgument' });
      }
      await assert.rejects(
        state.lock('l').run(() => 1, { timeout: 1 } as object),
        { code: 'InvalidArgument' },
      );
      await (await acquired(state.lock('short', { lease: 1_000.5 }))).release();
      await (await acquired(state.lock('long', { lease: '3650d' }))).release();
    });
  });
}

async function pair(engine: Engine): Promise<[Lock, Lock]> {
  return [(await engine.open()).lock('l'), (await engine.open()).lock('l')];
}

async function acquired(lock: Lock | undefined): Promise<HeldLock> {
  const held = await lock?.tryAcquire();
  assert.ok(held, 'the lock is free');
  return held;
}

function member(id: string): { owner: string; id: string } {
  return { owner: 'someone#else', id };
}
