import assert from 'node:assert/strict';
import { systemClock } from '../clock.js';
import type { LockMode } from '../lock/lock-port.js';
import type { HeldLock } from '../lock/lock.js';
import type { LockAccess } from '../lock/lock-access.js';
import type { ReadWriteLock } from '../lock/read-write-lock.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, waitUntil } from './waiting.js';

/** What every twin of a lock for readers and writers must do. */
export function lockReadWriteConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'read-write lock', (test) => {
    test('many read together, one writes alone', async (engine) => {
      const [one, two] = await pair(engine);
      const [first, second] = [await held(one.read), await held(two.read)];
      assert.equal(await one.write.tryAcquire(), undefined);
      assert.deepEqual(await two.status(), { readers: 2, waiting: 0 });
      assert.deepEqual([await first.release(), await first.release()], [true, false]);
      assert.equal(await two.write.tryAcquire(), undefined);
      assert.equal(await second.release(), true);
      const writer = await held(one.write);
      assert.equal(await two.read.tryAcquire(), undefined);
      assert.equal(await two.write.tryAcquire(), undefined);
      assert.equal((await two.status()).writer?.token, writer.guard.token);
      assert.deepEqual([await writer.release(), await writer.release()], [true, false]);
      assert.deepEqual(await two.status(), { readers: 0, waiting: 0 });
    });

    test('readers that come after a writer that waits wait for it, and then read together', async (engine) => {
      const [one, two] = await pair(engine);
      const reader = await held(one.read);
      const writer = standing(two.write.acquire());
      await eventually(async () => assert.equal((await one.status()).waiting, 1));
      const readers = [standing(one.read.acquire()), standing(two.read.acquire())];
      await eventually(async () => assert.equal((await one.status()).waiting, 3));
      assert.equal(await one.read.tryAcquire(), undefined);
      await reader.release();
      const writing = await writer;
      assert.deepEqual(await one.status().then(({ readers: reading, waiting }) => [reading, waiting]), [0, 2]);
      await writing?.release();
      const reading = await Promise.all(readers);
      assert.equal((await one.status()).readers, 2);
      assert.equal(reading[0]?.guard.token, reading[1]?.guard.token);
    });

    test('those whose turn it is are woken at once: all readers up to the next writer', async (engine) => {
      const [one, two] = await pair(engine);
      const startedAtMs = systemClock.monotonic();
      for (let round = 0; round < 5; round++) {
        const writer = await held(one.write);
        const readers = Array.from({ length: 20 }, (_, n) => standing((n % 2 === 0 ? one : two).read.acquire()));
        await eventually(async () => assert.equal((await one.status()).waiting, 20));
        const next = standing(two.write.acquire());
        await eventually(async () => assert.equal((await one.status()).waiting, 21));
        await writer.release();
        for (const reader of await Promise.all(readers)) await reader?.release();
        await (await next)?.release();
      }
      // The timer for a lost message would take half a second each time at least, and nearly one for the last of twenty.
      assert.ok(systemClock.monotonic() - startedAtMs < 3_500);
    });

    test('a writer that goes away while it waits lets the readers behind it in', async (engine) => {
      const [one, two] = await pair(engine);
      await held(one.read);
      const reason = new Error('enough');
      const startedAtMs = systemClock.monotonic();
      for (let round = 0; round < 6; round++) {
        const controller = new AbortController();
        const aborted = assert.rejects(two.write.acquire({ signal: controller.signal }), reason);
        await eventually(async () => assert.equal((await one.status()).waiting, 1));
        const reader = standing(two.read.acquire());
        await eventually(async () => assert.equal((await one.status()).waiting, 2));
        controller.abort(reason);
        await aborted;
        await (await reader)?.release();
        assert.deepEqual(await one.status(), { readers: 1, waiting: 0 });
      }
      // The timer for a lost message would take half a second each time at least.
      assert.ok(systemClock.monotonic() - startedAtMs < 2_500);
    });

    test('tokens grow from writer to writer, and to readers after one; who reads together has one token', async (engine) => {
      const [one, two] = await pair(engine);
      const tokens: number[] = [];
      for (let round = 0; round < 3; round++) {
        await one.write.run(({ guard }) => void tokens.push(Number(guard.token)));
        const reading = [await held(one.read), await held(two.read)];
        assert.equal(reading[0]?.guard.token, reading[1]?.guard.token);
        tokens.push(Number(reading[0]?.guard.token));
        for (const reader of reading) await reader.release();
      }
      assert.ok(tokens.every((token, index) => index === 0 || token > (tokens[index - 1] ?? 0)));
    });

    test('what a writer wrote under its guard is refused once readers after it have read', async (engine) => {
      const state = await engine.open();
      const [lock, map] = [state.readWriteLock('l'), state.map<number>('m')];
      const stale = await lock.write.run(({ guard }) => guard);
      await map.set('k', 1, { guard: stale });
      await lock.read.run(({ guard }) => map.get('k', { guard }));
      await assert.rejects(map.set('k', 2, { guard: stale }), { code: 'StaleGuard' });
    });

    test('the hold of one that is not heard of ends with its lease, not sooner', async (engine) => {
      const store = (await engine.ports()).readWriteLock;
      for (const mode of ['read', 'write'] as const) {
        const [stale, fresh] = [member(`s${mode}`), member(`f${mode}`)];
        assert.equal((await store.acquire(mode, mode, stale, 5_500, 0)).state, 'held');
        await engine.advance(5_000);
        assert.equal(await store.renew(mode, mode, stale, 5_500), true);
        await engine.advance(5_000);
        assert.equal((await store.acquire(mode, 'write', fresh, 5_500, 0)).state, 'wait');
        await engine.advance(1_000);
        assert.equal((await store.acquire(mode, 'write', fresh, 5_500, 0)).state, 'held');
        assert.equal(await store.renew(mode, mode, stale, 5_500), false);
        assert.equal(await store.release(mode, mode, stale), false);
        assert.equal(await store.release(mode, 'write', fresh), true);
      }
    });

    test('an answer that was lost is given again, with the same token', async (engine) => {
      const store = (await engine.ports()).readWriteLock;
      for (const mode of ['read', 'write'] as const) {
        const first = await store.acquire(mode, mode, member('a'), 5_500, 0);
        assert.deepEqual(await store.acquire(mode, mode, member('a'), 5_500, 0), first);
        assert.equal(await store.release(mode, mode, member('a')), true);
      }
    });

    test('a writer that waits and died keeps no reader out', async (engine) => {
      const store = (await engine.ports()).readWriteLock;
      await store.acquire('l', 'read', member('a'), 60_500, 0);
      await store.acquire('l', 'write', member('dead'), 60_500, 3_500);
      assert.equal((await store.acquire('l', 'read', member('b'), 60_500, 0)).state, 'wait');
      await engine.advance(4_000);
      assert.equal((await store.acquire('l', 'read', member('b'), 60_500, 0)).state, 'held');
    });

    test('readers and writers of three processes racing: never a writer beside anybody, nobody starves', async (engine) => {
      const locks = await Promise.all([1, 2, 3].map(async () => (await engine.open()).readWriteLock('l')));
      let [readers, writers, most] = [0, 0, 0];
      const work = async (lock: ReadWriteLock, mode: LockMode): Promise<void> => {
        for (let round = 0; round < 30; round++) {
          await lock[mode].run(async () => {
            if (mode === 'read') readers += 1;
            else writers += 1;
            most = Math.max(most, readers);
            assert.ok(writers === 0 || (writers === 1 && readers === 0), `${writers} write and ${readers} read`);
            await eventLoopTurn();
            if (mode === 'read') readers -= 1;
            else writers -= 1;
          });
        }
      };
      await Promise.all(locks.flatMap((lock) => [work(lock, 'read'), work(lock, 'read'), work(lock, 'write')]));
      assert.ok(most > 1, 'readers read together');
    });

    test('waiting ends with its bound, and work that throws frees the lock', async (engine) => {
      const store = (await engine.ports()).readWriteLock;
      await store.acquire('l', 'write', member('a'), 60_500, 0);
      const lock = (await engine.open()).readWriteLock('l');
      const waiting = [
        lock.read.acquire({ wait: 50 }),
        assert.rejects(
          lock.write.run(() => assert.fail('ran'), { wait: 50 }),
          { code: 'LockTimeout' },
        ),
      ];
      await eventually(async () => assert.equal((await lock.status()).waiting, 2));
      await engine.advance(1_000);
      assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
      assert.equal((await lock.status()).waiting, 0);
      await store.release('l', 'write', member('a'));
      await assert.rejects(
        lock.write.run(() => Promise.reject(new Error('no luck'))),
        { message: 'no luck' },
      );
      assert.equal(await lock.read.run(() => 7), 7);
    });

    test('closing a state frees what it holds, aborts work, and lets those go who wait', async (engine) => {
      const state = await engine.open();
      const other = (await engine.open()).readWriteLock('l');
      const lock = state.readWriteLock('l');
      const reader = await held(lock.read);
      const waiting = assert.rejects(lock.write.acquire(), { code: 'Closed' });
      await eventually(async () => assert.equal((await other.status()).waiting, 1));
      const working = state.readWriteLock('m').write.run(async ({ signal }) => {
        await waitUntil('the signal', () => signal.aborted);
        return (signal.reason as { code: string }).code;
      });
      await eventually(async () => assert.ok((await state.readWriteLock('m').status()).writer));
      await state.close();
      await waiting;
      assert.equal(await working, 'Closed');
      assert.equal((reader.signal.reason as { code: string }).code, 'Closed');
      assert.deepEqual(await other.status(), { readers: 0, waiting: 0 });
    });

    test('names stand apart, also from plain locks; status names the process that writes', async (engine) => {
      const state = await engine.open({ owner: 'über:100%' });
      const names = ['a', 'a:b', 'a}', '*', '%3A', 'x'.repeat(600)];
      for (const name of names) await held(state.readWriteLock(name, { lease: '20s' }).write);
      for (const name of names) await held(state.lock(name));
      for (const name of names) {
        const { writer } = await state.readWriteLock(name, { lease: '20s' }).status();
        assert.equal(writer?.owner, state.owner);
        assert.ok((writer?.expiresInMs ?? 0) > 15_000);
      }
    });

    test('a lease below a second, a bad wait, a bad name and an unknown option are refused', async (engine) => {
      const state = await engine.open();
      for (const lease of [0, -1, 999, Number.NaN, Infinity] as const) {
        assert.throws(() => state.readWriteLock('l', { lease }), { code: 'InvalidArgument' });
      }
      assert.throws(() => state.readWriteLock(''), { code: 'InvalidArgument' });
      assert.throws(() => state.readWriteLock('l', { ttl: 1 } as object), { code: 'InvalidArgument' });
      await assert.rejects(state.readWriteLock('l').read.acquire({ wait: 0 }), { code: 'InvalidArgument' });
    });
  });
}

async function pair(engine: Engine): Promise<[ReadWriteLock, ReadWriteLock]> {
  return [(await engine.open()).readWriteLock('l'), (await engine.open()).readWriteLock('l')];
}

async function held(access: Pick<LockAccess, 'tryAcquire'>): Promise<HeldLock> {
  const lock = await access.tryAcquire();
  assert.ok(lock, 'the lock is free');
  return lock;
}

/** Where a test fails before it awaits this, closing the engine rejects it, which nobody need hear of. */
function standing<Held>(acquiring: Promise<Held>): Promise<Held> {
  acquiring.catch(() => undefined);
  return acquiring;
}

function member(id: string): { owner: string; id: string } {
  return { owner: 'someone#else', id };
}
