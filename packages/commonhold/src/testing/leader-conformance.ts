import assert from 'node:assert/strict';
import type { Leader, Leadership } from '../leader/leader.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, eventually } from './waiting.js';

/** What election must do on every twin. */
export function leaderConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'leader', (test) => {
    test('of all candidates one leads, and everybody can see who', async (engine) => {
      const states = [await engine.open(), await engine.open(), await engine.open()];
      const leaders = states.map((state) => state.leader('l'));
      assert.deepEqual([leaders[0]?.isLeader, await leaders[0]?.current()], [false, undefined]);
      const led: Leadership[] = [];
      for (const leader of leaders) leader.lead((leadership) => void led.push(leadership));
      await eventually(async () => assert.equal((await states[0]?.lock('leader:l').status())?.waiting, 2));
      await eventually(() => assert.equal(led.length, 1));
      assert.equal(leaders.filter(({ isLeader }) => isLeader).length, 1);
      const leading = leaders.findIndex(({ isLeader }) => isLeader);
      for (const leader of leaders) {
        const current = await leader.current();
        assert.equal(current?.owner, states[leading]?.owner);
        assert.equal(current?.token, led[0]?.guard.token);
        assert.ok((current?.expiresInMs ?? 0) > 0);
      }
    });

    test('one that resigns is followed by the next in line, with a larger token, and never by two at once', async (engine) => {
      const leaders = await Promise.all([1, 2, 3].map(async () => (await engine.open()).leader('l')));
      const tokens: number[] = [];
      let leading = 0;
      const work = async ({ guard, signal }: Leadership): Promise<void> => {
        leading += 1;
        assert.equal(leading, 1);
        tokens.push(Number(guard.token));
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await eventLoopTurn();
        leading -= 1;
      };
      const candidacies = leaders.map((leader) => leader.lead(work));
      for (let count = 1; count <= 3; count++) {
        await eventually(() => assert.equal(tokens.length, count));
        const first = leaders.findIndex(({ isLeader }) => isLeader);
        await candidacies[first]?.close();
        assert.equal(leaders[first]?.isLeader, false);
      }
      assert.deepEqual(
        tokens,
        tokens.toSorted((one, other) => one - other),
      );
      assert.equal(await leaders[0]?.current(), undefined);
    });

    test('a leader that lost its lease is told, and stands again once its work has ended', async (engine) => {
      const leader = (await engine.open()).leader('l', { lease: '1s' });
      const reasons: unknown[] = [];
      const tokens: string[] = [];
      leader.lead(({ guard, signal }) => {
        tokens.push(guard.token);
        signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code));
      });
      await eventually(() => assert.equal(tokens.length, 1));
      const port = (await engine.ports()).lock;
      const usurper = { owner: 'other', id: '1' };
      // As if the store had lost what it knew.
      const { owner } = (await leader.current()) ?? { owner: '' };
      for (let id = 0; id < 50; id++) await port.release('leader:l', { owner, id: id.toString(36) });
      assert.equal((await port.acquire('leader:l', usurper, 60_000, 0)).state, 'held');
      await engine.advance(2_000);
      await eventually(() => assert.deepEqual(reasons, ['LeaseLost']));
      assert.equal(leader.isLeader, false);
      assert.equal((await leader.current())?.owner, 'other');
      await port.release('leader:l', usurper);
      await engine.advance(1_000);
      await eventually(() => assert.equal(tokens.length, 2));
      assert.ok(Number(tokens[1]) > Number(tokens[0]));
    });

    test('work that throws gives leadership up', async (engine) => {
      const [one, two] = [(await engine.open()).leader('l'), (await engine.open()).leader('l')];
      let failed = 0;
      one.lead(() => {
        failed += 1;
        throw new Error('cannot lead');
      });
      await eventually(() => assert.equal(failed, 1));
      let led = 0;
      two.lead(() => void (led += 1));
      await eventually(() => assert.equal(led, 1));
      assert.deepEqual([one.isLeader, two.isLeader], [false, true]);
    });

    test('closing ends candidacies: those that wait go, work is told and waited for', async (engine) => {
      const [state, other] = [await engine.open(), await engine.open()];
      const leader = state.leader('l');
      let ended = false;
      let reason: unknown;
      leader.lead(async ({ signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        reason = (signal.reason as { code: string }).code;
        await eventLoopTurn();
        ended = true;
      });
      await eventually(() => assert.equal(leader.isLeader, true));
      const waiting = other.leader('l').lead(() => undefined);
      await eventually(async () => assert.equal((await state.lock('leader:l').status()).waiting, 1));
      await waiting.close();
      await state.close();
      assert.deepEqual([ended, reason], [true, 'Closed']);
      assert.deepEqual(await other.lock('leader:l').status(), { held: false, waiting: 0 });
      assert.equal(await isElected(other.leader('l')), true);
    });

    test('leaders of other names stand apart; what is no name or lease is refused', async (engine) => {
      const state = await engine.open();
      assert.equal(await isElected(state.leader('a')), true);
      assert.equal(await isElected(state.leader('a:b')), true);
      assert.throws(() => state.leader(''), { code: 'InvalidArgument' });
      assert.throws(() => state.leader('l', { lease: 10 }), { code: 'InvalidArgument' });
      assert.throws(() => state.leader('l', { ttl: 10 } as object), { code: 'InvalidArgument' });
    });
  });
}

async function isElected(leader: Leader): Promise<boolean> {
  leader.lead(() => undefined);
  await eventually(() => assert.equal(leader.isLeader, true));
  return leader.isLeader;
}
