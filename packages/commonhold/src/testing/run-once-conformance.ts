import assert from 'node:assert/strict';
import { systemClock } from '../clock.js';
import type { RunOnce } from '../run-once/run-once.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, waitUntil } from './waiting.js';

/** What every run-once twin must do. */
export function runOnceConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'run-once', (test) => {
    test('work runs once, however many ask in how many processes, and all get the result', async (engine) => {
      const runs = await Promise.all([1, 2, 3].map(async () => (await engine.open()).runOnce<{ n: number }>('r')));
      let ran = 0;
      const work = async (): Promise<{ n: number }> => {
        await eventLoopTurn();
        return { n: ++ran };
      };
      const asked = runs.flatMap((run) => Array.from({ length: 10 }, () => run.run('k', work)));
      assert.deepEqual(
        await Promise.all(asked),
        Array.from({ length: 30 }, () => ({ n: 1 })),
      );
      assert.equal(ran, 1);
    });

    test('S2.5: a second process that asks while one converts waits and gets its result', async (engine) => {
      const [one, two] = await pair<string>(engine);
      const first = begin(one, 'track');
      await first.begun;
      const second = two.run('track', () => assert.fail('converted twice'));
      first.finish('hls');
      assert.deepEqual(await Promise.all([first.result, second]), ['hls', 'hls']);
    });

    test('one that waits hears of each result at once', async (engine) => {
      const [one, two] = await pair<number>(engine);
      const startedAtMs = systemClock.monotonic();
      for (let round = 0; round < 6; round++) {
        const first = begin(one, `k${round}`);
        await first.begun;
        const second = two.run(`k${round}`, () => -1);
        await two.get(`k${round}`);
        first.finish(round);
        assert.equal(await second, round);
      }
      // The timer for a lost message would take half a second each time at least.
      assert.ok(systemClock.monotonic() - startedAtMs < 2_500);
    });

    test('H.22: undefined, null, bytes, Maps and large values are results', async (engine) => {
      const [one, two] = await pair<unknown>(engine);
      const values = [undefined, null, 0, '', new Map([[1n, new Date(5)]]), 'abcdefgh'.repeat(50_000)];
      for (const [index, value] of values.entries()) {
        assert.deepEqual(await one.run(`k${index}`, () => value), value);
        assert.deepEqual(await two.run(`k${index}`, () => assert.fail('ran twice')), value);
      }
      const bytes = Buffer.from([0, 1, 255]);
      await one.run('bytes', () => bytes);
      assert.deepEqual(Buffer.from((await two.run('bytes', () => assert.fail())) as Buffer), bytes);
    });

    test('a result is kept for its time and not longer', async (engine) => {
      const run = (await engine.open()).runOnce<number>('r', { keep: '10s' });
      assert.equal(await run.run('k', () => 1), 1);
      await engine.advance(9_000);
      assert.equal(await run.run('k', () => 2), 1);
      await engine.advance(2_000);
      assert.equal(await run.run('k', () => 3), 3);
    });

    test('a failure reaches its caller, and the others try one after another', async (engine) => {
      const runs = await Promise.all([1, 2, 3].map(async () => (await engine.open()).runOnce<string>('r')));
      let atOnce = 0;
      const attempts: number[] = [];
      const work = async ({ attempt }: { attempt: number }): Promise<string> => {
        atOnce += 1;
        assert.equal(atOnce, 1);
        attempts.push(attempt);
        await eventLoopTurn();
        atOnce -= 1;
        if (attempt < 3) throw new Error(`no luck ${attempt}`);
        return 'luck';
      };
      const results = await Promise.allSettled([...runs, ...runs].map((run) => run.run('k', work)));
      assert.deepEqual(attempts, [1, 2, 3]);
      assert.equal(results.filter((result) => result.status === 'rejected').length, 2);
      for (const result of results) if (result.status === 'fulfilled') assert.equal(result.value, 'luck');
    });

    test('attempts are counted through failures, and begin anew after a result was forgotten', async (engine) => {
      const run = (await engine.open()).runOnce<number>('r');
      const fail = (): Promise<never> => Promise.reject(new Error('no'));
      await assert.rejects(run.run('k', fail));
      await assert.rejects(run.run('k', fail));
      assert.equal(await run.run('k', ({ attempt }) => attempt), 3);
      assert.equal(await run.forget('k'), true);
      assert.equal(await run.run('k', ({ attempt }) => attempt), 1);
    });

    test('H.19: a dead one is taken over by exactly one of those that wait', async (engine) => {
      const store = (await engine.ports()).runOnce;
      await store.claim('r', 'k', { owner: 'dead#x', id: 'd' }, 5_500, 0, 3_600_000, undefined);
      const runs = await Promise.all([1, 2, 3].map(async () => (await engine.open()).runOnce<number>('r')));
      let ran = 0;
      const asked = runs.map((run) => run.run('k', ({ attempt }) => ((ran += 1), attempt)));
      await eventually(async () => assert.equal((await runs[0]?.get('k'))?.status, 'running'));
      await engine.advance(6_000);
      assert.deepEqual(await Promise.all(asked), [2, 2, 2]);
      assert.equal(ran, 1);
    });

    test('H.12: a stale one is refused: it gets the result of the one that took over, or is told', async (engine) => {
      const store = (await engine.ports()).runOnce;
      const [stale, fresh] = [member('s'), member('f')];
      await store.claim('r', 'k', stale, 5_500, 0, 60_500, undefined);
      await engine.advance(6_000);
      assert.deepEqual(await store.claim('r', 'k', fresh, 5_500, 0, 60_500, undefined), { state: 'run', attempt: 2 });
      assert.equal(await store.renew('r', 'k', stale, 5_500, 60_500), false);
      assert.deepEqual(await store.finish('r', 'k', stale, '"stale"', 60_500), { state: 'lost' });
      assert.equal(await store.leave('r', 'k', stale, 60_500), false);
      assert.deepEqual(await store.finish('r', 'k', fresh, '"fresh"', 60_500), { state: 'kept' });
      assert.deepEqual(await store.finish('r', 'k', fresh, '"fresh"', 60_500), { state: 'kept' });
      const answer = await store.finish('r', 'k', stale, '"stale"', 60_500);
      assert.equal(answer.state === 'done' && answer.result.toString(), '"fresh"');
    });

    test('a renewal that meets its own result on the way has lost nothing', async (engine) => {
      const store = (await engine.ports()).runOnce;
      await store.claim('r', 'k', member('a'), 5_500, 0, 60_500, undefined);
      await store.finish('r', 'k', member('a'), '1', 60_500);
      assert.equal(await store.renew('r', 'k', member('a'), 5_500, 60_500), true);
      assert.equal(await store.renew('r', 'k', member('b'), 5_500, 60_500), false);
      assert.equal((await store.get('r', 'k')).state, 'done');
      await engine.advance(61_000);
      assert.equal(await store.renew('r', 'k', member('a'), 5_500, 60_500), false);
    });

    test('a late result counts while nobody has taken over', async (engine) => {
      const store = (await engine.ports()).runOnce;
      await store.claim('r', 'k', member('a'), 5_500, 0, 60_500, undefined);
      await engine.advance(6_000);
      assert.deepEqual(await store.get('r', 'k'), { state: 'absent' });
      assert.deepEqual(await store.finish('r', 'k', member('a'), '1', 60_500), { state: 'kept' });
      assert.equal((await store.get('r', 'k')).state, 'done');
    });

    test('a result that cannot be stored is an error, and the turn goes on', async (engine) => {
      const [one, two] = await pair<unknown>(engine);
      await assert.rejects(
        one.run('k', () => 'x'.repeat(2 ** 20 + 1)),
        { code: 'ValueTooLarge' },
      );
      assert.equal(await two.run('k', ({ attempt }) => attempt), 2);
    });

    test('waiting ends with its bound and with its signal', async (engine) => {
      const [one, two] = await pair<number>(engine);
      const first = begin(one, 'k');
      await first.begun;
      const reason = new Error('enough');
      const controller = new AbortController();
      const aborted = assert.rejects(
        two.run('k', () => 2, { signal: controller.signal }),
        reason,
      );
      const late = assert.rejects(
        two.run('k', () => 2, { wait: 50 }),
        { code: 'RunTimeout' },
      );
      await eventLoopTurn();
      controller.abort(reason);
      await aborted;
      await engine.advance(1_000);
      await late;
      first.finish(1);
      assert.equal(await first.result, 1);
    });

    test('get says how it stands', async (engine) => {
      const state = await engine.open({ owner: 'a:b%' });
      const run = state.runOnce<{ pages: number }>('r');
      const other = (await engine.open()).runOnce<{ pages: number }>('r');
      assert.deepEqual(await other.get('k'), { status: 'absent' });
      const working = begin(run, 'k');
      await working.begun;
      const running = await other.get('k');
      assert.ok(running.status === 'running');
      assert.deepEqual([running.owner, running.attempt], [state.owner, 1]);
      working.finish({ pages: 3 });
      await working.result;
      const done = await other.get('k');
      assert.ok(done.status === 'done');
      assert.deepEqual([done.owner, done.result], [state.owner, { pages: 3 }]);
      assert.ok(done.finishedAtMs >= running.startedAtMs && running.startedAtMs > 1e12);
    });

    test('H.14: forget removes a result, and leaves alone what runs or is absent', async (engine) => {
      const run = (await engine.open()).runOnce<number>('r');
      assert.equal(await run.forget('k'), false);
      const working = begin(run, 'k');
      await working.begun;
      assert.equal(await run.forget('k'), false);
      working.finish(1);
      assert.equal(await working.result, 1);
      assert.equal(await run.forget('k'), true);
      assert.equal(await run.forget('k'), false);
      assert.equal(await run.run('k', () => 2), 2);
    });

    test('closing a state aborts its work, waits for it, and lets those go who wait', async (engine) => {
      const state = await engine.open();
      const run = state.runOnce<string>('r');
      const working = run.run('k', async ({ signal }) => {
        await waitUntil('the signal', () => signal.aborted);
        return (signal.reason as { code: string }).code;
      });
      const other = (await engine.open()).runOnce<string>('r');
      await eventually(async () => assert.equal((await other.get('k')).status, 'running'));
      const waiting = assert.rejects(
        run.run('k', () => ''),
        { code: 'Closed' },
      );
      await eventLoopTurn();
      await state.close();
      await waiting;
      assert.equal(await working, 'Closed');
      assert.equal(await other.run('k', () => 'again'), 'Closed');
      await assert.rejects(run.get('k'), { code: 'Closed' });
    });

    test('names and keys with structure, globs and great length stay apart, and namespaces too', async (engine) => {
      const state = await engine.open();
      const elsewhere = await engine.open({ namespace: `${state.namespace}x` });
      const names = ['a', 'a:b', 'a}', '*', 'a*', '[a]', '%3A', ':', ' ', 'ä', 'x'.repeat(600), `${'x'.repeat(599)}y`];
      for (const [index, name] of names.entries()) await state.runOnce<number>(name).run(name, () => index);
      for (const [index, name] of names.entries()) {
        assert.equal(await state.runOnce<number>(name).run(name, () => -1), index);
      }
      assert.equal(await state.runOnce<number>('a:b').run('a', () => -1), -1);
      assert.equal(await elsewhere.runOnce<number>('a').run('a', () => -1), -1);
    });

    test('bad durations, keys and unknown options are refused', async (engine) => {
      const state = await engine.open();
      for (const keep of [0, -1, Number.NaN, Infinity, '73000d'] as const) {
        assert.throws(() => state.runOnce('r', { keep }), { code: 'InvalidArgument' });
      }
      assert.throws(() => state.runOnce('r', { lease: 999 }), { code: 'InvalidArgument' });
      assert.throws(() => state.runOnce('r', { ttl: 1 } as object), { code: 'InvalidArgument' });
      assert.throws(() => state.runOnce(''), { code: 'InvalidArgument' });
      const run = state.runOnce<number>('r', { keep: 1.5 });
      for (const key of ['', '\ud800'])
        await assert.rejects(
          run.run(key, () => 1),
          { code: 'InvalidArgument' },
        );
      await assert.rejects(run.get(''), { code: 'InvalidArgument' });
      await assert.rejects(
        run.run('k', () => 1, { wait: 0 }),
        { code: 'InvalidArgument' },
      );
    });
  });
}

async function pair<Result>(engine: Engine): Promise<[RunOnce<Result>, RunOnce<Result>]> {
  return [(await engine.open()).runOnce<Result>('r'), (await engine.open()).runOnce<Result>('r')];
}

/** Work that ends when the test says so. */
function begin<Result>(
  run: RunOnce<Result>,
  key: string,
): { begun: Promise<void>; finish: (result: Result) => void; result: Promise<Result> } {
  let finish: (result: Result) => void = () => undefined;
  let onBegun: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (onBegun = resolve));
  const ended = new Promise<Result>((resolve) => (finish = resolve));
  const result = run.run(key, () => {
    onBegun();
    return ended;
  });
  return { begun, finish: (value) => finish(value), result };
}

function member(id: string): { owner: string; id: string } {
  return { owner: 'someone#else', id };
}
