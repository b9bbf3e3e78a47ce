import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Guard } from '../guard.js';
import type { SharedState } from '../shared-state.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

/** A guarded call to a resource. */
type GuardedCall = (state: SharedState, guard: Guard | undefined) => Promise<unknown>;

const daily = (state: SharedState): ReturnType<typeof state.counter> =>
  state.counter('d', { ttl: '1h', daily: { keep: '1d' } });
const onMap = (state: SharedState): ReturnType<typeof state.map<number>> => state.map<number>('m');

/** Every call that takes a guard, by the resource it concerns. */
const calls: Readonly<Record<string, readonly GuardedCall[]>> = {
  map: [
    (state, guard) => onMap(state).set('k', 1, { guard }),
    (state, guard) => onMap(state).setMany([['k', 1]], { guard }),
    (state, guard) => onMap(state).add('new', 1, { guard }),
    (state, guard) => onMap(state).update('k', (value = 0) => value + 1, { guard }),
    (state, guard) => onMap(state).touch('k', '1h', { guard }),
    (state, guard) => onMap(state).get('k', { guard }),
    (state, guard) => onMap(state).getEntry('k', { guard }),
    (state, guard) => onMap(state).getMany(['k'], { guard }),
    (state, guard) => onMap(state).delete('k', { guard }),
    (state, guard) => onMap(state).deleteMany(['k'], { guard }),
    (state, guard) => onMap(state).clear({ guard }),
  ],
  counter: [
    (state, guard) => state.counter('c').add(1, { guard }),
    (state, guard) => state.counter('c').get({ guard }),
    (state, guard) => state.counter('c').reset({ guard }),
    (state, guard) => state.counter('c').add(1, { guard, operationId: randomUUID() }),
    (state, guard) => state.counter('c').reset({ guard, operationId: randomUUID() }),
  ],
  'counter with a ttl': [
    (state, guard) => state.counter('t', { ttl: '1h' }).add(1, { guard }),
    (state, guard) => state.counter('t', { ttl: '1h' }).reset({ guard }),
  ],
  'counter with days': [
    (state, guard) => daily(state).add(1, { guard }),
    (state, guard) => daily(state).get({ guard }),
  ],
  queue: [
    (state, guard) => state.queue<number>('q').add(1, { guard }),
    (state, guard) => state.queue<number>('q').addMany([{ data: 1, guard }]),
  ],
};

/** What every twin that takes guards must do with them (K13). */
export function lockGuardConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'guard', (test) => {
    for (const [resource, all] of Object.entries(calls)) {
      test(`${resource}: from the first call of a later holder on, each of an earlier one is refused`, async (engine) => {
        const state = await engine.open();
        const [old, fresh] = [await guard(state, 'l'), await guard(state, 'l')];
        for (const call of all) await call(state, old);
        for (const [index, raise] of all.entries()) {
          const before = [await guard(state, `l${index}`), await guard(state, `l${index}`)] as const;
          await raise(state, before[1]);
          for (const call of all) {
            await assert.rejects(call(state, before[0]), { code: 'StaleGuard' }, `${String(raise)} ${String(call)}`);
            await call(state, before[1]);
          }
        }
        for (const call of all) await call(state, fresh);
      });
    }

    test('a refused call did nothing', async (engine) => {
      const state = await engine.open();
      const [old, fresh] = [await guard(state, 'l'), await guard(state, 'l')];
      const [map, counter, queue] = [onMap(state), state.counter('c'), state.queue<number>('q')];
      await map.set('k', 7, { guard: fresh });
      await counter.add(7, { guard: fresh });
      await queue.add(7, { guard: fresh });
      const before = await map.getEntry('k');
      for (const call of Object.values(calls).flat()) {
        await call(state, old).catch((error: unknown) => assert.equal((error as { code: string }).code, 'StaleGuard'));
      }
      assert.deepEqual(await map.getEntry('k'), before);
      assert.deepEqual([await counter.get(), (await queue.totals()).total], [7, 1]);
    });

    test('a guarded read keeps earlier holders from writing past it', async (engine) => {
      const state = await engine.open();
      const map = onMap(state);
      const old = await guard(state, 'l');
      await map.set('k', 1, { guard: old });
      const fresh = await guard(state, 'l');
      assert.equal(await map.get('k', { guard: fresh }), 1);
      await assert.rejects(map.set('k', 2, { guard: old }), { code: 'StaleGuard' });
      await map.set('k', 3, { guard: fresh });
      assert.equal(await map.get('k'), 3);
    });

    test('locks, resources and namespaces stay apart, and calls without a guard pass', async (engine) => {
      const state = await engine.open();
      const elsewhere = await engine.open({ namespace: `${state.namespace}x` });
      const names = ['a', 'a:b', '*', '{x}', '%3A', 'ä', 'x'.repeat(600)];
      for (const name of names) {
        const [old, fresh] = [await guard(state, name), await guard(state, name)];
        await onMap(state).set('k', 1, { guard: fresh });
        await onMap(elsewhere).set('k', 1, { guard: old });
        await state.map('other').set('k', 1, { guard: old });
        await state.map('timed', { ttl: '1h' }).get('k', { guard: old });
        await state.counter('m').add(1, { guard: old });
        await state.queue('m').add(1, { guard: old });
        await assert.rejects(onMap(state).delete('k', { guard: old }), { code: 'StaleGuard' });
      }
      await onMap(state).set('k', 2);
      await state.counter('c').add();
      assert.equal(await onMap(state).get('k'), 2);
    });

    test('what was written is told to those who listen, and found by those who read', async (engine) => {
      const state = await engine.open();
      const map = state.map<string>('heard', { changes: true, ttl: '1h' });
      const heard: string[] = [];
      await map.subscribe(({ type }) => void heard.push(type));
      const held = { guard: await guard(state, 'l') };
      await map.set('k', 'a', held);
      assert.equal(await map.update('k', (value) => `${value}b`, held), 'ab');
      assert.equal(await map.add('k', 'c', held), false);
      assert.deepEqual([...(await map.getMany(['k', 'x'], held))], [['k', 'ab']]);
      assert.equal(await map.delete('k', held), true);
      const counter = state.counter('c', { ttl: '1h', daily: { keep: '1d' } });
      assert.deepEqual([await counter.add(2, held), await counter.add(3, held)], [2, 5]);
      assert.deepEqual([await counter.get(held), await counter.reset(held), await counter.get(held)], [5, 5, 0]);
      const plain = state.counter('p');
      assert.deepEqual([await plain.get(held), await plain.add(2, held), await plain.add(-3)], [0, 2, -1]);
      await engine.advance(10 * 3_600_000);
      assert.equal(await plain.get(held), -1);
      const queue = state.queue<number>('q');
      const [one, two] = await queue.addMany([{ data: 1, ...held }, { data: 2 }, { data: 3, ...held, id: 'own' }]);
      assert.deepEqual([(await queue.get(one?.id ?? ''))?.data, (await queue.get(two?.id ?? ''))?.data], [1, 2]);
      assert.equal((await queue.add(3, { ...held, id: 'own' })).duplicate, true);
    });

    test('a fence outlives what it lies beside, and is forgotten some time after the day that follows its last use', async (engine) => {
      const state = await engine.open();
      const map = onMap(state);
      const [old, fresh] = [await guard(state, 'l'), await guard(state, 'l')];
      await map.set('k', 1, { ttl: '1s', guard: fresh });
      await map.clear();
      await engine.advance(86_000_000);
      await assert.rejects(map.set('k', 2, { guard: old }), { code: 'StaleGuard' });
      await map.get('k', { guard: fresh });
      await engine.advance(86_000_000);
      await assert.rejects(map.set('k', 2, { guard: old }), { code: 'StaleGuard' });
      await engine.advance(100_000_000);
      await map.set('k', 2, { guard: old });
    });

    test('what no lock gave, and a guard where none is taken, are refused', async (engine) => {
      const state = await engine.open();
      const bad = [null, 'l', {}, { lock: 'l' }, { lock: '', token: '1' }, { lock: 'l', token: 1 }];
      const tokens = ['', '-1', '1.5', '1e3', ' 1', '9007199254740993', '99999999999999999'];
      for (const wrong of [...bad, ...tokens.map((token) => ({ lock: 'l', token }))]) {
        for (const call of Object.values(calls).flat()) {
          await assert.rejects(
            async () => call(state, wrong as Guard),
            { code: 'InvalidArgument' },
            JSON.stringify(wrong),
          );
        }
      }
      const held = { guard: await guard(state, 'l') };
      const documented = state.map('documented', { prefix: '{documented}' });
      await assert.rejects(documented.set('k', 1, held), { code: 'InvalidArgument' });
      await assert.rejects(documented.get('k', held), { code: 'InvalidArgument' });
      await assert.rejects(onMap(state).get('k', { gard: 1 } as object), { code: 'InvalidArgument' });
      await assert.rejects(state.counter('c').add(1, { gard: 1 } as object), { code: 'InvalidArgument' });
      assert.throws(() => state.queue('q').schedule('s', { every: '1h' }, 1, held as object), {
        code: 'InvalidArgument',
      });
    });
  });
}

/** The guard of a lock that has been held, and is free again. */
async function guard(state: Awaited<ReturnType<Engine['open']>>, name: string): Promise<Guard> {
  return state.lock(name).run((held) => held.guard);
}
