import assert from 'node:assert/strict';
import type { Engine, EngineKind } from './engine.js';
import type { QueueAddress } from '../queue/queue-port.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually, pause } from './waiting.js';

const address: QueueAddress = {
  name: 'q',
  documented: undefined,
  notices: false,
  keepCompletedMs: 0,
  keepFailedMs: 0,
  limits: undefined,
};

interface Asked {
  totals(): Promise<{ readonly total: number }>;
}

/** Resolves when what was asked of the store, and what is asked in turn, has been answered: answers come in order. */
async function settled(queues: readonly Asked[]): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await Promise.all(queues.map((queue) => queue.totals()));
    await eventLoopTurn();
  }
}

/** What schedules must do on every twin: each tick once, over all processes. */
export function queueScheduleConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'queue schedules', (test) => {
    /**
     * Passes from tick to tick, waiting until each has added as many jobs as are expected by then, and until who added them
     * sleeps again: time that is asked for before it moves, and told after it, is wrong.
     */
    const pass = async (
      engine: Engine,
      queues: readonly Asked[],
      stepMs: number,
      totals: readonly number[],
    ): Promise<void> => {
      await settled(queues);
      for (const total of totals) {
        await engine.advance(stepMs);
        for (const queue of queues) await eventually(async () => assert.equal((await queue.totals()).total, total));
        await settled(queues);
      }
    };
    /** Moves on to just after a full minute: no tick comes by itself while a test looks. */
    const beginMinute = async (engine: Engine): Promise<void> => {
      const nowMs = await (await engine.ports()).queue.now(address);
      await engine.advance(60_000 - (nowMs % 60_000) + 1_000);
    };
    /** Longer than any process takes to see that a tick has come. */
    const settleMs = 1_200;

    test('each tick is added once, however many processes have the schedule', async (engine) => {
      await beginMinute(engine);
      const states = [await engine.open(), await engine.open(), await engine.open()];
      const queues = states.map((state) => state.queue<number>('q'));
      for (const queue of queues) queue.schedule('beat', { every: '1m' }, (tickAtMs) => tickAtMs);
      const seen: number[] = [];
      await pass(engine, queues, 60_000, [1, 2, 3]);
      await pause(settleMs);
      queues[0]?.work(({ data }) => void seen.push(data));
      await eventually(() => assert.equal(seen.length, 3));
      const [first = 0] = seen;
      assert.equal(first % 60_000, 0);
      assert.deepEqual(seen, [first, first + 60_000, first + 120_000]);
    });

    test('schedules of one queue do not meet, and end by themselves', async (engine) => {
      await beginMinute(engine);
      const queue = (await engine.open()).queue<string>('q');
      const every = queue.schedule('every', { every: '1m' }, 'every', { priority: 9, topic: 't' });
      queue.schedule('cron', { cron: '* * * * *' }, 'cron');
      await pass(engine, [queue], 60_000, [2, 4]);
      const { jobs } = await queue.list('t');
      assert.deepEqual(
        jobs.map(({ data, priority }) => [data, priority]),
        [
          ['every', 9],
          ['every', 9],
        ],
      );
      await every.close();
      await pass(engine, [queue], 60_000, [5]);
      await pause(settleMs);
      assert.equal((await queue.totals()).total, 5);
    });

    test('ticks that pass while nobody has the schedule, or adding is paused, are not made up for', async (engine) => {
      await beginMinute(engine);
      const queue = (await engine.open()).queue<string>('q');
      const first = queue.schedule('beat', { every: '1m' }, 'x');
      await pass(engine, [queue], 60_000, [1]);
      await first.close();
      await engine.advance(120_000);
      queue.schedule('beat', { every: '1m' }, 'x');
      await settled([queue]);
      await queue.pause('adding');
      await engine.advance(60_000);
      await pause(settleMs);
      await queue.resume('adding');
      assert.equal((await queue.totals()).total, 1);
      await pass(engine, [queue], 60_000, [2]);
    });

    test('what is no schedule is refused', async (engine) => {
      const queue = (await engine.open()).queue<string>('q');
      const bad: (() => unknown)[] = [
        () => queue.schedule('x', {}, 'x'),
        () => queue.schedule('x', { every: '1h', cron: '* * * * *' }, 'x'),
        () => queue.schedule('x', { every: 0 }, 'x'),
        () => queue.schedule('x', { every: 1_500 }, 'x'),
        () => queue.schedule('x', { cron: '* * * * * *' }, 'x'),
        () => queue.schedule('x', { at: '1h' } as never, 'x'),
        () => queue.schedule('no name', { every: '1h' }, 'x'),
        () => queue.schedule('x', { every: '1h' }, 'x', { id: 'own' } as never),
        () => queue.schedule('x', { every: '1h' }, 'x', { prio: 1 } as never),
      ];
      for (const call of bad) assert.throws(call, { code: 'InvalidArgument' }, String(call));
    });
  });
}
