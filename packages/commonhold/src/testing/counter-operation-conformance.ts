import assert from 'node:assert/strict';
import type { Counter } from '../counter/counter.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

const minuteMs = 60_000;
const kinds = [{}, { ttl: '1h' }, { daily: { keep: '7d' } }] as const;

/** What every counter twin must do with operations that have an id. */
export function counterOperationConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'counter operations', (test) => {
    test('an add with an id counts once, however often it is done, and answers as the first time', async (engine) => {
      for (const options of kinds) {
        const state = await engine.open();
        const counter = state.counter(`c-${Object.keys(options).join()}`, options);
        assert.equal(await counter.add(5, { operationId: 'one' }), 5);
        assert.equal(await counter.add(2), 7);
        assert.equal(await counter.add(5, { operationId: 'one' }), 5);
        assert.equal(await counter.add(5, { operationId: 'two' }), 12);
        assert.equal(await (await engine.open()).counter(`c-${Object.keys(options).join()}`).get(), 12);
        if ('daily' in options) assert.equal((await counter.series({ days: 2 })).at(-1)?.count, 12);
      }
    });

    test('one operation done by many at once counts once', async (engine) => {
      const states = await Promise.all([engine.open(), engine.open()]);
      const counters = states.map((state) => state.counter('c'));
      const adds = Array.from({ length: 100 }, (_, n) =>
        (counters[n % 2] as Counter).add(3, { operationId: `${n % 4}` }),
      );
      const totals = await Promise.all(adds);
      assert.deepEqual(
        [...new Set(totals)].toSorted((a, b) => a - b),
        [3, 6, 9, 12],
      );
      assert.equal(await counters[0]?.get(), 12);
    });

    test('an id is refused to an add of another amount and to a reset, and nothing happens', async (engine) => {
      const counter = (await engine.open()).counter('c');
      await counter.add(5, { operationId: 'one' });
      await assert.rejects(counter.add(6, { operationId: 'one' }), { code: 'InvalidArgument' });
      await assert.rejects(counter.reset({ operationId: 'one' }), { code: 'InvalidArgument' });
      assert.equal(await counter.get(), 5);
      assert.equal(await counter.add(5, { operationId: 'one' }), 5);
    });

    test('a reset with an id takes once, and says again what it took', async (engine) => {
      const counter = (await engine.open()).counter('c');
      await counter.add(5);
      assert.equal(await counter.reset({ operationId: 'r' }), 5);
      await counter.add(2);
      assert.equal(await counter.reset({ operationId: 'r' }), 5);
      assert.equal(await counter.get(), 2);
      await assert.rejects(counter.add(5, { operationId: 'r' }), { code: 'InvalidArgument' });
      assert.equal(await counter.reset(), 2);
      assert.equal(await counter.reset({ operationId: 'absent' }), 0);
    });

    test('an add is remembered when its total was reset or is over', async (engine) => {
      const counter = (await engine.open()).counter('c', { ttl: '2s' });
      await counter.add(5, { operationId: 'one' });
      await counter.reset();
      assert.equal(await counter.add(5, { operationId: 'one' }), 5);
      assert.equal(await counter.get(), 0);
      await counter.add(4, { operationId: 'two' });
      await engine.advance(3_000);
      assert.equal(await counter.add(4, { operationId: 'two' }), 4);
      assert.equal(await counter.get(), 0);
    });

    test('an operation is remembered for ten minutes, whenever it is done again', async (engine) => {
      const counter = (await engine.open()).counter('c');
      await counter.add(1, { operationId: 'one' });
      await engine.advance(9 * minuteMs);
      assert.equal(await counter.add(1, { operationId: 'one' }), 1);
      await engine.advance(minuteMs + 1_000);
      assert.equal(await counter.add(1, { operationId: 'one' }), 2);
    });

    test('an add that was refused did nothing, and may be done again', async (engine) => {
      for (const options of kinds) {
        const counter = (await engine.open()).counter(`c-${Object.keys(options).join()}`, options);
        await counter.add(Number.MAX_SAFE_INTEGER);
        await assert.rejects(counter.add(1, { operationId: 'one' }), { code: 'Overloaded' });
        await counter.reset();
        if ('daily' in options) continue;
        assert.equal(await counter.add(1, { operationId: 'one' }), 1);
      }
    });

    test('ids of two counters are apart, and so are ids that look alike', async (engine) => {
      const state = await engine.open();
      const [one, two] = [state.counter('c'), state.counter('c:operation')];
      const ids = [
        'a',
        'A',
        'a ',
        'a:b',
        'a}',
        '*',
        '\u00e4',
        '5',
        '5 1',
        'reset',
        'x'.repeat(256),
        `${'x'.repeat(255)}y`,
      ];
      for (const operationId of ids) await one.add(1, { operationId });
      for (const operationId of ids) await one.add(1, { operationId });
      assert.equal(await one.get(), ids.length);
      assert.equal(await two.add(1, { operationId: 'a' }), 1);
    });

    test('a bad id and an unknown option are refused, and add nothing', async (engine) => {
      const counter = (await engine.open()).counter('c');
      for (const operationId of ['', '\ud800', 'x'.repeat(257), 5, null] as string[]) {
        await assert.rejects(counter.add(1, { operationId }), { code: 'InvalidArgument' });
        await assert.rejects(counter.reset({ operationId }), { code: 'InvalidArgument' });
      }
      const misspelt: object = { operationID: 'a' };
      await assert.rejects(counter.add(1, misspelt), { code: 'InvalidArgument' });
      assert.equal(await counter.get(), 0);
      assert.equal(await counter.add(1, {}), 1);
    });
  });
}
