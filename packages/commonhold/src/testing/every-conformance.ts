import assert from 'node:assert/strict';
import type { Every, Tick } from '../every/every.js';
import type { SharedState } from '../shared-state.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, pause } from './waiting.js';

const minuteMs = 60_000;
/** Longer than any process takes to see that a tick has come. */
const settleMs = 1_100;

/** What work at each tick must do on every twin: each tick once, over all processes. */
export function everyConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'every', (test) => {
    test('each tick is done once, in its order, however many processes have the schedule', async (engine) => {
      const startMs = await beginMinute(engine);
      const done: number[] = [];
      const tokens: number[] = [];
      const states = [await engine.open(), await engine.open(), await engine.open()];
      for (const state of states) {
        state.every('x', '1m', ({ tickAtMs, guard }) => {
          done.push(tickAtMs);
          tokens.push(Number(guard.token));
        });
      }
      for (let tick = 1; tick <= 2; tick++) {
        await pass(engine, states, minuteMs, () => assert.ok(done.length >= tick));
      }
      assert.deepEqual(
        done,
        [1, 2].map((tick) => startMs + tick * minuteMs),
      );
      assert.ok(tokens.every((token, index) => index === 0 || token > (tokens[index - 1] ?? 0)));
    });

    test('work that takes longer than the time between ticks never overlaps; of ticks missed the last is made up for', async (engine) => {
      const startMs = await beginMinute(engine);
      const begun: number[] = [];
      let running = 0;
      let finish: () => void = () => undefined;
      const work = async ({ tickAtMs }: Tick): Promise<void> => {
        running += 1;
        assert.equal(running, 1);
        begun.push(tickAtMs);
        await new Promise<void>((resolve) => (finish = resolve));
        running -= 1;
      };
      const states = [await engine.open(), await engine.open()];
      for (const state of states) state.every('x', '1m', work, { lease: '10m' });
      await pass(engine, states, minuteMs, () => assert.equal(begun.length, 1));
      await settled(states);
      await engine.advance(3 * minuteMs);
      await pause(settleMs);
      assert.equal(begun.length, 1);
      finish();
      await pass(engine, states, 1_000, () => assert.equal(begun.length, 2));
      assert.deepEqual(begun, [startMs + minuteMs, startMs + 4 * minuteMs]);
      finish();
    });

    test('work that throws is done again at the next tick, by whomever, and harms no other', async (engine) => {
      await beginMinute(engine);
      let tries = 0;
      const fail = (): never => {
        tries += 1;
        throw new Error('no luck');
      };
      const states = [await engine.open(), await engine.open()];
      for (const state of states) state.every('x', '1m', fail);
      let others = 0;
      states[0]?.every('y', { cron: '* * * * *' }, () => void (others += 1));
      await pass(engine, states, minuteMs, () => assert.ok(tries >= 1 && others >= 1));
      await pass(engine, states, minuteMs, () => assert.ok(tries >= 2 && others >= 2));
      assert.deepEqual([tries, others], [2, 2]);
    });

    test('a tick whose process died is done by another, and what the first one writes then is refused', async (engine) => {
      await beginMinute(engine);
      const dead = await engine.open();
      const port = (await engine.ports()).lock;
      const ticks: Tick[] = [];
      await hang(dead, ticks);
      await pass(engine, [dead], minuteMs, () => assert.equal(ticks.length, 1));
      const [first] = ticks;
      // As if its lease had ended: the lock is free.
      const status = await port.status('every:x');
      assert.equal(status.held, true);
      for (let id = 0; id < 50; id++) await port.release('every:x', { owner: dead.owner, id: id.toString(36) });
      const [other, done] = [await engine.open(), [] as Tick[]];
      other.every('x', '1m', (tick) => void done.push(tick));
      const seen = await other.map<number>('every:x').get('done');
      assert.equal(seen, undefined);
      await pass(engine, [other], minuteMs, () => assert.equal(done.length, 1));
      const map = other.map<string>('written');
      await map.set('by', 'other', { guard: done[0]?.guard });
      await assert.rejects(map.set('by', 'dead', { guard: first?.guard }), { code: 'StaleGuard' });
    });

    test('a tick that passed while no process was there is made up for by the next that comes, once', async (engine) => {
      const startMs = await beginMinute(engine);
      const done: number[] = [];
      const work = ({ tickAtMs }: Tick): void => void done.push(tickAtMs);
      const state = await engine.open();
      const first = state.every('x', '1m', work);
      await pass(engine, [state], minuteMs, () => assert.equal(done.length, 1));
      await settled([state]);
      await first.close();
      await engine.advance(5 * minuteMs);
      for (let n = 0; n < 2; n++) (await engine.open()).every('x', '1m', work);
      await eventually(() => assert.equal(done.length, 2));
      await pause(200);
      assert.deepEqual(done, [startMs + minuteMs, startMs + 6 * minuteMs]);
    });

    test('closing tells work to stop and waits for it; a tick that was broken off is another’s to do', async (engine) => {
      await beginMinute(engine);
      const state = await engine.open();
      let begun = false;
      let ended = false;
      let reason: unknown;
      state.every('x', '1m', async ({ signal }) => {
        begun = true;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        reason = (signal.reason as { code: string }).code;
        ended = true;
        throw new Error('broken off');
      });
      await pass(engine, [state], minuteMs, () => assert.equal(begun, true));
      await state.close();
      assert.deepEqual([ended, reason], [true, 'Closed']);
      const other = await engine.open();
      assert.equal((await other.lock('every:x').status()).held, false);
      assert.equal(await other.map('every:x').get('done'), undefined);
    });

    test('what is no schedule is refused', async (engine) => {
      const state = await engine.open();
      const work = (): void => undefined;
      const bad: (() => Every)[] = [
        () => state.every('', '1h', work),
        () => state.every('x', 0, work),
        () => state.every('x', 1_500, work),
        () => state.every('x', {}, work),
        () => state.every('x', { every: '1h', cron: '* * * * *' }, work),
        () => state.every('x', { cron: '* * * * * *' }, work),
        () => state.every('x', { at: '1h' } as object, work),
        () => state.every('x', '1h', work, { lease: 10 }),
        () => state.every('x', '1h', work, { ttl: 10 } as object),
      ];
      for (const call of bad) assert.throws(call, { code: 'InvalidArgument' }, String(call));
    });
  });
}

/** Moves on to just after a full minute, and returns that minute: no tick comes by itself while a test looks. */
async function beginMinute(engine: Engine): Promise<number> {
  const nowMs = await (await engine.ports()).lock.now('any');
  const startMs = nowMs - (nowMs % minuteMs) + minuteMs;
  await engine.advance(startMs + 1_000 - nowMs);
  return startMs;
}

/**
 * Resolves when what processes asked of the store, and what they ask in turn, has been answered, for answers come in order: the
 * time that is asked for before it moves, and told after it, is wrong.
 */
async function settled(states: readonly SharedState[]): Promise<void> {
  for (let turn = 0; turn < 12; turn++) {
    await Promise.all(states.map((state) => state.counter('settled').get()));
    await eventLoopTurn();
  }
}

/** Lets time pass, while all sleep, until `expected` holds. */
async function pass(
  engine: Engine,
  states: readonly SharedState[],
  stepMs: number,
  expected: () => void | Promise<void>,
): Promise<void> {
  await settled(states);
  await engine.advance(stepMs);
  await eventually(async () => expected());
}

/** Has `state` begin the next tick and never end it. */
async function hang(state: SharedState, ticks: Tick[]): Promise<void> {
  state.every('x', '1m', (tick) => {
    ticks.push(tick);
    return new Promise<void>((resolve) => tick.signal.addEventListener('abort', () => resolve()));
  });
}
