import assert from 'node:assert/strict';
import type { BegunRun, RunOnce } from '../run-once/run-once.js';
import type { OpenRun } from '../run-once/open-run.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

const minuteMs = 60_000;

/** What every run-once twin must do for those who do not wait, and for keys that are bound to a fingerprint. */
export function runOnceBeginConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'run-once begin', (test) => {
    test('a hundred that begin at once in two processes: one gets the run, the others hear that it runs', async (engine) => {
      const runs = await pair(engine);
      const asked = Array.from({ length: 100 }, (_, n) => (runs[n % 2] as RunOnce<string>).begin('k'));
      const answers = await Promise.all(asked);
      assert.equal(answers.filter(({ status }) => status === 'begun').length, 1);
      assert.equal(answers.filter(({ status }) => status === 'running').length, 99);
      const run = openOf(answers.find(({ status }) => status === 'begun'));
      assert.equal(run.attempt, 1);
      assert.equal(await run.finish('result'), 'result');
      for (const one of runs) assert.deepEqual(resultOf(await one.begin('k')), 'result');
    });

    test('a run that is abandoned is begun by the next, and those who wait get their turn', async (engine) => {
      const [one, two] = await pair(engine);
      const first = openOf(await one.begin('k'));
      const waiting = two.run('k', ({ attempt }) => `attempt ${attempt}`);
      while ((await one.begin('k')).status !== 'running');
      await first.abandon();
      assert.equal(await waiting, 'attempt 2');
      const again = openOf(await one.begin('other'));
      await again.abandon();
      await again.abandon();
      assert.equal(await attemptOf(two.begin('other')), 2);
    });

    test('what cannot be kept leaves the run open', async (engine) => {
      const [one] = await pair(engine);
      const run = openOf(await one.begin('k'));
      await assert.rejects(run.finish('x'.repeat(3 * 1024 * 1024)), { code: 'ValueTooLarge' });
      assert.equal(run.isOpen, true);
      assert.equal((await one.begin('k')).status, 'running');
      await run.abandon();
      assert.equal(run.isOpen, false);
      assert.equal(await attemptOf(one.begin('k')), 2);
    });

    test('a dead one is taken over by who asks', async (engine) => {
      const store = (await engine.ports()).runOnce;
      await store.claim('r', 'k', { owner: 'dead#x', id: 'd' }, 5_500, 0, 60_500, 'a');
      const [one] = await pair(engine);
      assert.equal((await one.begin('k', { fingerprint: 'a' })).status, 'running');
      assert.equal((await one.begin('k', { fingerprint: 'b' })).status, 'mismatch');
      await engine.advance(6_000);
      assert.equal((await one.begin('k', { fingerprint: 'b' })).status, 'mismatch');
      const run = openOf(await one.begin('k', { fingerprint: 'a' }));
      assert.equal(run.attempt, 2);
      assert.equal(run.signal.aborted, false);
      await run.abandon();
    });

    test('one that was taken over gets the result of the other, or is told that there is none yet', async (engine) => {
      const store = (await engine.ports()).runOnce;
      const [one, two] = await pair(engine, '1s');
      const stale = openOf(await one.begin('k'));
      await store.leave('r', 'k', { owner: one.owner, id: '1' }, 60_500);
      const fresh = openOf(await two.begin('k'));
      await assert.rejects(stale.finish('stale'), { code: 'LeaseLost' });
      assert.equal(await fresh.finish('fresh'), 'fresh');
      assert.equal(await stale.finish('stale'), 'fresh');
    });

    test('another fingerprint is told apart while it runs, when it was abandoned and when it is done', async (engine) => {
      const [one, two] = await pair(engine);
      const status = async (fingerprint?: string): Promise<string> =>
        (await two.begin('k', fingerprint === undefined ? {} : { fingerprint })).status;
      const first = openOf(await one.begin('k', { fingerprint: 'a' }));
      assert.deepEqual([await status('b'), await status('a'), await status()], ['mismatch', 'running', 'running']);
      await first.abandon();
      assert.equal(await status('b'), 'mismatch');
      await openOf(await two.begin('k', { fingerprint: 'a' })).finish('result');
      assert.deepEqual([await status('b'), await status('a'), await status()], ['mismatch', 'done', 'done']);
      assert.equal(await two.run('k', () => 'ran again'), 'result');
    });

    test('a hundred of two fingerprints at once: one runs, and all of the other are mismatches', async (engine) => {
      const runs = await pair(engine);
      const asked = Array.from({ length: 100 }, async (_, n) => {
        const fingerprint = n % 4 < 2 ? 'a' : 'b';
        return { fingerprint, answer: await (runs[n % 2] as RunOnce<string>).begin('k', { fingerprint }) };
      });
      const answers = await Promise.all(asked);
      const begun = answers.filter(({ answer }) => answer.status === 'begun');
      assert.equal(begun.length, 1);
      for (const { fingerprint, answer } of answers) {
        assert.equal(answer.status === 'mismatch', fingerprint !== begun[0]?.fingerprint);
      }
      await openOf(begun[0]?.answer).abandon();
    });

    test('the first fingerprint binds, also where earlier runs had none; it is forgotten with the record', async (engine) => {
      const [one] = await pair(engine);
      await openOf(await one.begin('k')).abandon();
      await openOf(await one.begin('k', { fingerprint: 'a' })).abandon();
      await openOf(await one.begin('k')).abandon();
      assert.equal((await one.begin('k', { fingerprint: 'b' })).status, 'mismatch');
      await one.forget('k');
      const run = openOf(await one.begin('k', { fingerprint: 'b' }));
      assert.equal(run.attempt, 1);
      await run.finish('result');
      assert.equal((await one.begin('k', { fingerprint: 'a' })).status, 'mismatch');
      await engine.advance(61 * minuteMs);
      assert.equal(await attemptOf(one.begin('k', { fingerprint: 'a' })), 1);
    });

    test('bad fingerprints, keys and unknown options are refused', async (engine) => {
      const [one] = await pair(engine);
      for (const fingerprint of ['', '\ud800', 'x'.repeat(257), 5, null] as string[]) {
        await assert.rejects(one.begin('k', { fingerprint }), { code: 'InvalidArgument' });
      }
      await assert.rejects(one.begin('k', { print: 'a' } as object), { code: 'InvalidArgument' });
      await assert.rejects(one.begin(''), { code: 'InvalidArgument' });
      assert.equal(await attemptOf(one.begin('k', { fingerprint: 'x'.repeat(256) })), 1);
    });
  });
}

type Runs = RunOnce<string> & { readonly owner: string };

async function pair(engine: Engine, lease?: '1s'): Promise<[Runs, Runs]> {
  const open = async (): Promise<Runs> => {
    const state = await engine.open();
    return Object.assign(state.runOnce<string>('r', lease === undefined ? {} : { lease }), { owner: state.owner });
  };
  return [await open(), await open()];
}

function openOf(begun: BegunRun<string> | undefined): OpenRun<string> {
  assert(begun?.status === 'begun', `expected a run, got ${begun?.status}`);
  return begun.run;
}

// A state that closes waits for what is open.
async function attemptOf(begun: Promise<BegunRun<string>>): Promise<number> {
  const run = openOf(await begun);
  await run.abandon();
  return run.attempt;
}

function resultOf(begun: BegunRun<string>): string {
  assert(begun.status === 'done', `expected a result, got ${begun.status}`);
  return begun.result;
}
