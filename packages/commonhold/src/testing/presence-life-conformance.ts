import assert from 'node:assert/strict';
import type { OpenOptions } from '../options.js';
import type { Presence } from '../presence/presence.js';
import type { PresenceChange } from '../presence/presence-port.js';
import type { PresenceOptions } from '../presence/presence-options.js';
import type { Engine, EngineKind } from './engine.js';
import { pass, passBeats, type Process, startProcess } from './processes.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

interface Place {
  readonly process: Process;
  readonly presence: Presence;
  /** `joined a`, `left a` as this process hears it. */
  readonly heard: string[];
  /** How often it was told that events may be missing. */
  resyncs: number;
}

async function place(engine: Engine, options: PresenceOptions = {}, open: OpenOptions = {}): Promise<Place> {
  const process = await startProcess(engine, open);
  const presence = process.state.presence('p', options);
  const heard: string[] = [];
  const made = { process, presence, heard, resyncs: 0 };
  await presence.subscribe(undefined, ({ type, member }) => void heard.push(`${type} ${member.id}`), {
    onResync: () => void made.resyncs++,
  });
  await process.clock.planned();
  return made;
}

async function ids(presence: Presence, region: string = 'r'): Promise<string[]> {
  return (await presence.members(region)).map(({ id }) => id);
}

/** What is read of a region and a user in every way there is. */
async function read(presence: Presence): Promise<unknown> {
  const members = await ids(presence);
  assert.equal(await presence.count('r'), members.length);
  const { online, members: ofUser } = await presence.user('ada');
  assert.deepEqual(
    ofUser.map(({ id }) => id),
    members,
  );
  assert.equal(online, members.length > 0);
  for (const id of members) assert.equal((await presence.get(id))?.id, id);
  return members;
}

const member = (id: string): { id: string; region: string; user: string } => ({ id, region: 'r', user: 'ada' });

/** What every presence twin must do over time: silence, and processes that die or are out of reach. */
export function presenceLifeConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'life of a presence', (test) => {
    test('S3.5: a member that is silent for too long is gone for all, and told of once', async (engine) => {
      const [one, two] = [await place(engine, { silence: '1m' }), await place(engine, { silence: '1m' })];
      await one.presence.join(member('a'));
      await passBeats(engine, 56_000, one.process, two.process);
      assert.deepEqual(await read(two.presence), ['a']);
      await pass(engine, 4_500);
      assert.deepEqual([await read(one.presence), await read(two.presence)], [[], []]);
      await pass(engine, 0, two.process, one.process, two.process);
      await eventually(() => [one, two].forEach(({ heard }) => assert.deepEqual(heard, ['joined a', 'left a'])));
    });

    test('where the store went back to an earlier stay of a seat the later one comes back', async (engine) => {
      const { presence: port } = await engine.ports();
      const space = { name: 'p', prefix: undefined, silenceMs: 60_000 };
      const details = { user: 'ada', region: 'r', location: '', meta: '', agent: '' };
      const back = { id: 'a', details, idleMs: 0, joinedAtMs: undefined, kind: 'restore' as const };
      const change = async (one: PresenceChange): Promise<unknown> =>
        (await port.change(space, 'one#1/x', 12_000, [one])).outcomes[0];
      await change({ ...back, kind: 'join', number: 1 });
      const { gone, superseded } = await port.beat(
        space,
        'one#1/x',
        12_000,
        [{ id: 'a', number: 2, idleMs: 0 }],
        false,
      );
      assert.deepEqual([gone, superseded], [[2], []]);
      assert.equal(await change({ kind: 'move', id: 'a', number: 2, region: 's', location: '' }), 'gone');
      assert.equal(await change({ ...back, number: 2 }), 'done');
      assert.equal(await change({ ...back, number: 1 }), 'superseded');
      assert.equal(await change({ kind: 'leave', id: 'a', number: 2 }), 'done');
    });

    test('S3.5: heartbeats and moves put the end of silence off', async (engine) => {
      const { process, presence, heard } = await place(engine, { silence: '20s' });
      const [beating, moving] = [await presence.join(member('a')), await presence.join(member('b'))];
      for (let round = 0; round < 4; round++) {
        await passBeats(engine, 12_000, process);
        beating.heartbeat();
        await moving.move({ location: { latitude: round, longitude: 0 } });
        await pass(engine, 0, process);
      }
      assert.deepEqual(await read(presence), ['a', 'b']);
      const [a] = await presence.members('r');
      assert.ok((a?.lastActivityAtMs ?? 0) >= (a?.joinedAtMs ?? 0) + 48_000);
      await passBeats(engine, 24_000, process);
      assert.deepEqual(await read(presence), []);
      await eventually(() => assert.deepEqual(heard.toSorted(), ['joined a', 'joined b', 'left a', 'left b']));
    });

    test('S3.10: a member that was gone for its silence is back when it moves or sends a heartbeat', async (engine) => {
      const { process, presence, heard } = await place(engine, { silence: '20s' });
      const [a, b] = [await presence.join(member('a')), await presence.join(member('b'))];
      await passBeats(engine, 24_000, process);
      await eventually(() => assert.equal(heard.length, 4));
      a.heartbeat();
      await pass(engine, 4_000, process);
      assert.equal(await b.move({ region: 'r' }), 'r');
      assert.deepEqual(await read(presence), ['a', 'b']);
      await eventually(() => assert.deepEqual(heard.slice(4), ['joined a', 'joined b']));
      await passBeats(engine, 16_000, process);
      a.heartbeat();
      await passBeats(engine, 8_000, process);
      assert.deepEqual(await read(presence), ['a']);
    });

    test('an earlier membership of an id does not end the later one with a heartbeat', async (engine) => {
      const { process, presence } = await place(engine, { silence: '20s' });
      const first = await presence.join(member('a'));
      await passBeats(engine, 24_000, process);
      const second = await presence.join(member('a'));
      first.heartbeat();
      second.heartbeat();
      await pass(engine, 1_000, process);
      assert.equal(await second.move({ region: 'q' }), 'q');
      await assert.rejects(first.move({ region: 'r' }), { code: 'Closed' });
      await second.leave();
      assert.equal(await presence.get('a'), undefined);
    });

    test('so it is where the beat tells of the first while the second joins', async (engine) => {
      const { process, presence } = await place(engine);
      const first = await presence.join(member('a'));
      for (let round = 0; round < 10; round++) {
        first.heartbeat();
        const joining = presence.join(member('a'));
        await pass(engine, 0, process);
        const second = await joining;
        assert.equal(await second.move({ region: 'q' }), 'q');
        assert.equal(await second.move({ region: 'r' }), 'r');
      }
    });

    test('a heartbeat that is told late counts from when it was sent', async (engine) => {
      const { process, presence, heard } = await place(engine, { silence: '20s' });
      const membership = await presence.join(member('a'));
      const joinedAtMs = (await presence.get('a'))?.joinedAtMs ?? 0;
      await passBeats(engine, 15_000, process);
      membership.heartbeat();
      await pass(engine, 6_000, process);
      assert.deepEqual(await read(presence), ['a']);
      const lastMs = (await presence.get('a'))?.lastActivityAtMs ?? 0;
      assert.ok(lastMs >= joinedAtMs + 13_000 && lastMs < joinedAtMs + 20_000, `${lastMs - joinedAtMs}`);
      await eventually(() => assert.deepEqual(heard, ['joined a']));
    });

    test('a heartbeat just before the silence is too long does not wait for the next beat', async (engine) => {
      const { process, presence } = await place(engine, { silence: '20s' });
      const membership = await presence.join(member('a'));
      const joinedAtMs = (await presence.get('a'))?.joinedAtMs ?? 0;
      await passBeats(engine, 18_000, process);
      membership.heartbeat();
      await eventually(async () => {
        const lastMs = (await presence.get('a'))?.lastActivityAtMs ?? 0;
        assert.ok(lastMs >= joinedAtMs + 17_000);
      });
    });

    test('a step of the clock of the store buries nobody', async (engine) => {
      const [one, two] = [await place(engine), await place(engine)];
      const gone: string[] = [];
      await one.process.state.owners.subscribe((event) => void gone.push(event.type));
      await one.presence.join(member('a'));
      await two.presence.join(member('b'));
      await passBeats(engine, 20_000, one.process, two.process);
      await engine.advance(60_000);
      await pass(engine, 0, one.process, two.process);
      await pass(engine, 0, one.process, two.process);
      assert.deepEqual(await read(one.presence), ['a', 'b']);
      await one.presence.join(member('c'));
      await eventually(() => assert.deepEqual(one.heard, ['joined a', 'joined b', 'joined c']));
      assert.deepEqual(gone, []);
    });

    test('regions and users of thousands are read whole, also while one of the processes is dead', async (engine) => {
      const [dying, living] = [await place(engine), await place(engine)];
      const joinAll = ({ presence }: Place, name: string): Promise<unknown> =>
        Promise.all(Array.from({ length: 1_300 }, (_, n) => presence.join(member(`${name}${n}`))));
      await joinAll(dying, 'a');
      await joinAll(living, 'b');
      await living.process.clock.planned();
      const seen = async (): Promise<number[]> => {
        const members = await ids(living.presence);
        assert.equal(new Set(members).size, members.length);
        const { members: ofUser } = await living.presence.user('ada');
        return [members.length, ofUser.length, await living.presence.count('r')];
      };
      assert.deepEqual(await seen(), [2_600, 2_600, 2_600]);
      for (let n = 0; n < 3; n++) await pass(engine, 3_000, living.process);
      await engine.advance(3_900);
      assert.deepEqual(await seen(), [1_300, 1_300, 1_300]);
    });

    test('the members of a process that died are gone when its lease ends, and told of once', async (engine) => {
      const [dying, one, two] = [await place(engine), await place(engine), await place(engine)];
      for (const id of ['a', 'b', 'c']) await dying.presence.join(member(id));
      await one.presence.join(member('d'));
      await passBeats(engine, 10_000, one.process, two.process);
      assert.deepEqual(await read(two.presence), ['a', 'b', 'c', 'd']);
      await engine.advance(3_000);
      assert.deepEqual([await read(one.presence), await read(two.presence)], [['d'], ['d']]);
      await pass(engine, 0, one.process, two.process);
      await passBeats(engine, 8_000, one.process, two.process);
      const left = ['left a', 'left b', 'left c'];
      for (const { heard } of [one, two]) {
        await eventually(() => assert.deepEqual(heard.slice(4).toSorted(), left));
      }
      assert.deepEqual([dying.resyncs, one.resyncs, two.resyncs], [0, 0, 0]);
    });

    test('those who only listen bury the dead, 250 at once', async (engine) => {
      const [dying, listening] = [await place(engine), await place(engine)];
      const numbers = Array.from({ length: 250 }, (_, index) => `m${index}`);
      await Promise.all(numbers.map((id) => dying.presence.join(member(id))));
      await passBeats(engine, 16_000, listening.process);
      await eventually(() => {
        const left = listening.heard.filter((event) => event.startsWith('left'));
        assert.deepEqual(left.toSorted(), numbers.map((id) => `left ${id}`).toSorted());
      });
      assert.equal(listening.resyncs, 0);
      assert.equal(await listening.presence.count('r'), 0);
    });

    test('a process that was out of reach and not buried comes back without a word', async (engine) => {
      const [away, other] = [await place(engine), await place(engine)];
      await away.presence.join(member('a'));
      await passBeats(engine, 8_000, other.process);
      await engine.advance(5_000);
      assert.deepEqual(await read(other.presence), []);
      await pass(engine, 0, away.process);
      assert.deepEqual(await read(other.presence), ['a']);
      await passBeats(engine, 12_000, away.process, other.process);
      assert.deepEqual(await read(other.presence), ['a']);
      assert.deepEqual(other.heard, ['joined a']);
    });

    test('where all were out of reach, nobody buries the others for the length of a lease', async (engine) => {
      const [one, two] = [await place(engine), await place(engine)];
      await one.presence.join(member('a'));
      await two.presence.join(member('b'));
      await passBeats(engine, 16_000, one.process, two.process);
      await engine.advance(60_000);
      for (const { process } of [one, two]) process.clock.advance(60_000);
      await pass(engine, 0, one.process);
      await pass(engine, 0, one.process);
      await passBeats(engine, 4_000, one.process, two.process);
      assert.deepEqual(await read(one.presence), ['a', 'b']);
      await passBeats(engine, 16_000, one.process, two.process);
      assert.deepEqual(one.heard, ['joined a', 'joined b']);
    });

    test('a process that was buried and is alive joins its members again, active as they were', async (engine) => {
      const [away, other] = [await place(engine, { silence: '1m' }), await place(engine, { silence: '1m' })];
      await away.presence.join(member('a'));
      const b = await away.presence.join(member('b'));
      await passBeats(engine, 20_000, other.process);
      await eventually(() => assert.deepEqual(other.heard.slice(2).toSorted(), ['left a', 'left b']));
      away.process.clock.advance(20_000);
      b.heartbeat();
      await pass(engine, 0, away.process);
      assert.deepEqual(await read(other.presence), ['a', 'b']);
      await eventually(() => assert.deepEqual(other.heard.slice(4).toSorted(), ['joined a', 'joined b']));
      await passBeats(engine, 44_000, away.process, other.process);
      assert.deepEqual(await read(other.presence), ['b']);
    });

    test('who took the id of a member of the dead keeps it', async (engine) => {
      const [away, other] = [await place(engine), await place(engine)];
      const [silent, active] = [await away.presence.join(member('a')), await away.presence.join(member('b'))];
      await passBeats(engine, 16_000, other.process);
      for (const id of ['a', 'b']) await other.presence.join(member(id));
      away.process.clock.advance(16_000);
      active.heartbeat();
      await pass(engine, 0, away.process);
      const owners = (await other.presence.members('r')).map(({ owner }) => owner);
      assert.deepEqual(owners, Array(2).fill(other.process.state.owner));
      for (const old of [silent, active]) {
        await assert.rejects(old.move({ region: 'q' }), { code: 'Closed' });
        await old.leave();
      }
      assert.deepEqual(await read(other.presence), ['a', 'b']);
      await eventually(() => assert.equal(other.heard.length, 6));
    });

    test('a join alone shows a buried process that it lost its members', async (engine) => {
      const [away, other] = [await place(engine), await place(engine)];
      await away.presence.join(member('a'));
      await passBeats(engine, 16_000, other.process);
      away.process.clock.advance(16_000);
      await away.presence.join(member('b'));
      await eventually(async () => assert.deepEqual(await ids(other.presence), ['a', 'b']));
    });

    test('a process started again under the same name is another one', async (engine) => {
      const [dead, again] = [await place(engine, {}, { owner: 'web' }), await place(engine, {}, { owner: 'web' })];
      await dead.presence.join(member('a'));
      await again.presence.join(member('b'));
      assert.notEqual(dead.process.state.owner, again.process.state.owner);
      await passBeats(engine, 16_000, again.process);
      assert.deepEqual(await read(again.presence), ['b']);
    });

    test('a long silence does not end at once', async (engine) => {
      const { process, presence } = await place(engine, { silence: '36500d' });
      await presence.join(member('a'));
      await engine.advance(7_000);
      await pass(engine, 0, process);
      await engine.advance(29 * 86_400_000);
      await pass(engine, 0, process);
      assert.deepEqual(await read(presence), ['a']);
    });
  });
}
