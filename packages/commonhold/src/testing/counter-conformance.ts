import assert from 'node:assert/strict';
import { systemClock } from '../clock.js';
import type { Counter } from '../counter/counter.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

const dayMs = 86_400_000;
const largest = Number.MAX_SAFE_INTEGER;

/** What every counter twin must do. */
export function counterConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'counter', (test) => {
    test('H.13: an absent counter is 0, and resetting it says so', async (engine) => {
      const counter = (await engine.open()).counter('c');
      assert.equal(await counter.get(), 0);
      assert.equal(await counter.reset(), 0);
      assert.equal(await counter.get(), 0);
    });

    test('adding returns the new total, which other processes see', async (engine) => {
      const counter = (await engine.open()).counter('c');
      assert.equal(await counter.add(), 1);
      assert.equal(await counter.add(5), 6);
      assert.equal(await counter.add(-10), -4);
      assert.equal(await counter.add(0), -4);
      assert.equal(await (await engine.open()).counter('c').get(), -4);
    });

    test('reset returns the total and begins anew', async (engine) => {
      const counter = (await engine.open()).counter('c');
      await counter.add(7);
      assert.equal(await counter.reset(), 7);
      assert.equal(await counter.get(), 0);
      assert.equal(await counter.add(-1), -1);
      assert.equal(await counter.reset(), -1);
    });

    test('adds of many processes at once all count, each with a total of its own', async (engine) => {
      for (const options of [{}, { ttl: '1h' }, { daily: { keep: '7d' } }] as const) {
        const states = await Promise.all([engine.open(), engine.open(), engine.open()]);
        const counters = states.map((state) => state.counter(`c-${Object.keys(options).join()}`, options));
        const totals = await Promise.all(Array.from({ length: 300 }, (_, n) => (counters[n % 3] as Counter).add()));
        assert.deepEqual(
          totals.toSorted((a, b) => a - b),
          Array.from({ length: 300 }, (_, n) => n + 1),
        );
      }
    });

    test('a fraction, NaN, infinity, an unsafe number and what is no number are refused and add nothing', async (engine) => {
      for (const options of [{}, { ttl: 1_000 }]) {
        const counter = (await engine.open()).counter('c', options);
        for (const by of [0.5, Number.NaN, Infinity, -Infinity, largest + 1, -largest - 1, '1', 1n, null] as number[]) {
          await assert.rejects(counter.add(by), { code: 'InvalidArgument' });
        }
        assert.equal(await counter.get(), 0);
      }
    });

    test('a total is exact up to 2^53-1 either way, and an add beyond is refused and adds nothing', async (engine) => {
      for (const options of [{}, { ttl: '1h' }, { daily: { keep: '7d' } }] as const) {
        const counter = (await engine.open()).counter(`c-${Object.keys(options).join()}`, options);
        for (const sign of [1, -1]) {
          assert.equal(await counter.add(sign * (largest - 1)), sign * (largest - 1));
          assert.equal(await counter.add(sign), sign * largest);
          await assert.rejects(counter.add(sign), { code: 'Overloaded' });
          await assert.rejects(counter.add(sign * largest), { code: 'Overloaded' });
          assert.equal(await counter.get(), sign * largest);
          assert.equal(await counter.add(-sign), sign * (largest - 1));
          assert.equal(await counter.reset(), sign * (largest - 1));
          // What was counted today is counted back, so that the other end can be reached too.
          await counter.add(sign * -(largest - 1));
          await counter.reset();
        }
      }
    });

    test('the last hundred totals before the end are exact too', async (engine) => {
      for (const options of [{}, { ttl: '1h' }] as const) {
        const counter = (await engine.open()).counter(`c-${Object.keys(options).join()}`, options);
        await counter.add(largest);
        for (let below = 1; below <= 100; below++) {
          assert.equal(await counter.add(-1), largest - below);
          assert.equal(await counter.get(), largest - below);
        }
        assert.equal(await counter.reset(), largest - 100);
      }
    });

    test('a ttl begins with the first add and is not prolonged', async (engine) => {
      const counter = (await engine.open()).counter('c', { ttl: '10s' });
      await counter.add(2);
      await engine.advance(6_000);
      assert.equal(await counter.add(), 3);
      await engine.advance(3_000);
      assert.equal(await counter.get(), 3);
      await engine.advance(2_000);
      assert.equal(await counter.get(), 0);
      assert.equal(await counter.add(), 1);
      await engine.advance(9_000);
      assert.equal(await counter.get(), 1);
      await engine.advance(2_000);
      assert.equal(await counter.reset(), 0);
    });

    test('a ttl begins again after a reset, and an add of 0 begins it too', async (engine) => {
      const counter = (await engine.open()).counter('c', { ttl: '10s' });
      await counter.add();
      await engine.advance(6_000);
      await counter.reset();
      assert.equal(await counter.add(0), 0);
      await engine.advance(6_000);
      assert.equal(await counter.add(5), 5);
      await engine.advance(5_000);
      assert.equal(await counter.get(), 0);
    });

    test('H.16: a counter without ttl stays, thirty days do not end at once, half a millisecond does', async (engine) => {
      const state = await engine.open();
      const [ever, long] = [state.counter('ever', { ttl: Infinity }), state.counter('long', { ttl: '30d' })];
      const tiny = state.counter('tiny', { ttl: 0.5 });
      await Promise.all([ever.add(), long.add(), tiny.add()]);
      await engine.advance(29 * dayMs);
      assert.deepEqual(await Promise.all([ever.get(), long.get(), tiny.get()]), [1, 1, 0]);
      await engine.advance(2 * dayMs);
      assert.deepEqual(await Promise.all([ever.get(), long.get()]), [1, 0]);
    });

    test('a bad name, ttl or keep is refused when the counter is made', async (engine) => {
      const state = await engine.open();
      assert.throws(() => state.counter(''), { code: 'InvalidArgument' });
      assert.throws(() => state.counter('\ud800'), { code: 'InvalidArgument' });
      for (const ttl of [0, -1, Number.NaN, '73000d' as const]) {
        assert.throws(() => state.counter('c', { ttl }), { code: 'InvalidArgument' });
        assert.throws(() => state.counter('c', { daily: { keep: ttl } }), { code: 'InvalidArgument' });
      }
      assert.throws(() => state.counter('c', { daily: { keep: Infinity } }), { code: 'InvalidArgument' });
    });

    test('counters and namespaces do not see each other, whatever their names', async (engine) => {
      const state = await engine.open();
      const other = await engine.open({ namespace: `${state.namespace}x` });
      const names = ['a', 'a:days', 'a:b', 'a}', '{a', '*', '?', '[a]', '%3A', ':', ' ', 'ä', '\n', '-', '^', '\\'];
      names.push('x'.repeat(600), `${'x'.repeat(599)}y`);
      const daily = { daily: { keep: '1d' } } as const;
      for (const [index, name] of names.entries()) await state.counter(name, daily).add(index + 1);
      for (const [index, name] of names.entries()) assert.equal(await state.counter(name, daily).get(), index + 1);
      assert.equal(await other.counter('a').get(), 0);
    });

    test('a day counts what was added on it, zero where nothing was, in order', async (engine) => {
      await leaveMidnight(engine);
      const counter = (await engine.open()).counter('c', { daily: { keep: '30d' } });
      await counter.add(2);
      await engine.advance(dayMs);
      await counter.add(3);
      await counter.add(-1);
      await engine.advance(2 * dayMs);
      await counter.add();
      const series = await counter.series({ days: 5 });
      assert.deepEqual(
        series.map(({ count }) => count),
        [0, 2, 2, 0, 1],
      );
      assert.equal(await counter.get(), 5);
      const days = series.map(({ day }) => Date.parse(day));
      for (const [index, day] of days.entries()) assert.equal(day, (days[0] as number) + index * dayMs);
    });

    test('days may be named, future ones count 0', async (engine) => {
      await leaveMidnight(engine);
      const counter = (await engine.open()).counter('c', { daily: { keep: '30d' } });
      await counter.add(4);
      const [today] = await counter.series({ days: 1 });
      assert(today !== undefined);
      assert.equal(today.count, 4);
      assert.deepEqual(await counter.series({ from: today.day, to: today.day }), [today]);
      const leap = await counter.series({ from: '2096-02-28', to: '2096-03-01' });
      assert.deepEqual(
        leap,
        ['2096-02-28', '2096-02-29', '2096-03-01'].map((day) => ({ day, count: 0 })),
      );
      assert.deepEqual(await counter.series({ from: '1969-12-31', to: '1970-01-01' }), [
        { day: '1969-12-31', count: 0 },
        { day: '1970-01-01', count: 0 },
      ]);
    });

    test('a day is kept for its time after it ended, and no longer', async (engine) => {
      await leaveMidnight(engine);
      const counter = (await engine.open()).counter('c', { daily: { keep: '2d' } });
      const other = (await engine.open()).counter('other', { daily: { keep: '2d' } });
      await Promise.all([counter.add(), other.add()]);
      const counts = async (): Promise<number[]> => (await counter.series({ days: 5 })).map(({ count }) => count);
      await engine.advance(2 * dayMs);
      assert.deepEqual(await counts(), [0, 0, 1, 0, 0]);
      await counter.add(5);
      await engine.advance(dayMs + 1);
      assert.deepEqual(await counts(), [0, 0, 0, 5, 0]);
      await counter.add(6);
      assert.deepEqual(await counts(), [0, 0, 0, 5, 6]);
      assert.deepEqual(
        (await other.series({ days: 5 })).map(({ count }) => count),
        [0, 0, 0, 0, 0],
      );
    });

    test('neither reset nor ttl touch the counts of days', async (engine) => {
      await leaveMidnight(engine);
      const counter = (await engine.open()).counter('c', { ttl: '10s', daily: { keep: '7d' } });
      await counter.add(3);
      assert.equal(await counter.reset(), 3);
      await counter.add(4);
      await engine.advance(11_000);
      assert.equal(await counter.get(), 0);
      assert.equal(await counter.add(), 1);
      assert.deepEqual(
        (await counter.series({ days: 2 })).map(({ count }) => count),
        [0, 8],
      );
    });

    test('ten years are read at once', async (engine) => {
      await leaveMidnight(engine);
      const counter = (await engine.open()).counter('c', { daily: { keep: '36500d' } });
      await counter.add(9);
      await engine.advance(3_659 * dayMs);
      await counter.add(1);
      const series = await counter.series({ days: 3_660 });
      assert.equal(series.length, 3_660);
      assert.deepEqual([series[0]?.count, series[1]?.count, series.at(-1)?.count], [9, 0, 1]);
    });

    test('a bad range is refused, and a series of a counter without days', async (engine) => {
      const state = await engine.open();
      const counter = state.counter('c', { daily: { keep: '7d' } });
      for (const days of [0, -1, 1.5, Number.NaN, Infinity, 3_661]) {
        await assert.rejects(counter.series({ days }), { code: 'InvalidArgument' });
      }
      for (const [from, to] of [
        ['2026-01-02', '2026-01-01'],
        ['2026-02-29', '2026-03-01'],
        ['2026-1-1', '2026-01-02'],
        ['2026-01-01', ''],
        ['2016-01-01', '2026-12-31'],
      ] as const) {
        await assert.rejects(counter.series({ from, to }), { code: 'InvalidArgument' });
      }
      await assert.rejects(state.counter('plain').series({ days: 1 }), { code: 'InvalidArgument' });
    });
  });
}

// A test of days that begins just before midnight on a real server must not end after it.
async function leaveMidnight(engine: Engine): Promise<void> {
  const leftMs = dayMs - (systemClock.now() % dayMs);
  if (leftMs < 60_000) await engine.advance(leftMs + 1_000);
}
