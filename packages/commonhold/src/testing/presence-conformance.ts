import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { isCommonholdError } from '../errors.js';
import type { Presence, PresenceEvent } from '../presence/presence.js';
import type { PresenceOptions } from '../presence/presence-options.js';
import { geohashRegions } from '../presence/geohash.js';
import type { SharedState } from '../shared-state.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually } from './waiting.js';

async function open<Meta = undefined>(engine: Engine, options: PresenceOptions = {}): Promise<Presence<Meta>> {
  return (await engine.open()).presence<Meta>('p', options);
}

async function ids(presence: Presence, region: string): Promise<string[]> {
  return (await presence.members(region)).map(({ id }) => id);
}

/** Events of a region, or of all, as text: `joined a r`, `moved a s<r`. */
async function record(presence: Presence, region?: string): Promise<string[]> {
  const heard: string[] = [];
  const text = (event: PresenceEvent<undefined>): string => {
    const place = event.member.region ?? '-';
    return `${event.type} ${event.member.id} ${place}${event.type === 'moved' ? `<${event.from ?? '-'}` : ''}`;
  };
  await presence.subscribe(region, (event) => void heard.push(text(event)));
  return heard;
}

async function refuses(work: () => unknown, code: string = 'InvalidArgument'): Promise<void> {
  await assert.rejects(
    async () => work(),
    (error) => isCommonholdError(error) && error.code === code,
  );
}

/** What every presence twin must do: joining, moving and leaving, reading, and events. */
export function presenceConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'presence', (test) => {
    test('S3.4: a member is seen by every process, with all there is to know of it', async (engine) => {
      const [here, there] = [await engine.open({ owner: 'here' }), await open<{ name: string }>(engine)];
      const location = { latitude: 24.86, longitude: 67.01 };
      const presence = here.presence<{ name: string }>('p', { regions: geohashRegions() });
      const membership = await presence.join({ id: 's1', user: 'ada', location, meta: { name: 'Ada' } });
      const member = await there.get('s1');
      assert.ok(member);
      const { joinedAtMs, lastActivityAtMs, ...rest } = member;
      const region = 'tkrtkv';
      assert.deepEqual(rest, { id: 's1', user: 'ada', region, location, owner: here.owner, meta: { name: 'Ada' } });
      assert.equal(lastActivityAtMs, joinedAtMs);
      assert.equal(membership.region, region);
      assert.deepEqual(await there.members(region), [member]);
      assert.equal(await there.count(region), 1);
      assert.deepEqual(await there.user('ada'), { online: true, members: [member] });
    });

    test('what nobody joined is empty', async (engine) => {
      const presence = await open(engine);
      assert.equal(await presence.get('x'), undefined);
      assert.equal(await presence.count('x'), 0);
      assert.deepEqual(await presence.members('x'), []);
      assert.deepEqual(await presence.user('x'), { online: false, members: [] });
    });

    test('a member may have neither user, region, location nor meta', async (engine) => {
      const presence = await open(engine);
      const membership = await presence.join({ id: 's1' });
      const member = await presence.get('s1');
      assert.deepEqual([member?.user, member?.region, member?.location, member?.meta], Array(4).fill(undefined));
      assert.equal(membership.region, undefined);
      await refuses(() => membership.move({ location: { latitude: 1, longitude: 1 } }));
      assert.equal(await membership.move({ region: 'r' }), 'r');
    });

    test('S3.4: a user is online while one of its many sockets is', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const first = await one.join({ id: 's1', user: 'ada', region: 'r' });
      const second = await two.join({ id: 's2', user: 'ada', region: 'q' });
      assert.deepEqual(
        (await one.user('ada')).members.map(({ id }) => id),
        ['s1', 's2'],
      );
      await first.leave();
      assert.equal((await two.user('ada')).online, true);
      await second.leave();
      assert.deepEqual(await one.user('ada'), { online: false, members: [] });
    });

    test('S3.4: moves between regions are seen at once and counted once', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const membership = await one.join({ id: 's1', region: 'r' });
      await one.join({ id: 's2', region: 'r' });
      assert.equal(await membership.move({ region: 's' }), 's');
      assert.equal(membership.region, 's');
      assert.deepEqual([await two.count('r'), await two.count('s')], [1, 1]);
      assert.deepEqual([await ids(two, 'r'), await ids(two, 's')], [['s2'], ['s1']]);
      assert.equal(await membership.move({ region: 's', location: { latitude: 1, longitude: 2 } }), 's');
      assert.deepEqual((await two.get('s1'))?.location, { latitude: 1, longitude: 2 });
      assert.equal(await membership.move({ region: 'r' }), 'r');
      assert.deepEqual((await two.get('s1'))?.location, { latitude: 1, longitude: 2 });
      assert.deepEqual([await two.count('r'), await two.count('s')], [2, 0]);
    });

    test('a location decides the region, and a region shows its neighbours', async (engine) => {
      const regions = geohashRegions({ precision: 5 });
      const presence = await open(engine, { regions });
      const membership = await presence.join({ id: 'b', location: { latitude: 24.86, longitude: 67.01 } });
      const region = membership.region ?? '';
      const [near = ''] = regions.neighboursOf(region);
      await presence.join({ id: 'a', region: near });
      await presence.join({ id: 'c', location: { latitude: -24.86, longitude: 67.01 } });
      const around = await presence.members(region, { neighbours: true });
      assert.deepEqual(
        around.map(({ id }) => id),
        ['b', 'a'],
      );
      assert.deepEqual(await ids(presence, region), ['b']);
      const far = await membership.move({ location: { latitude: 0, longitude: 0 } });
      assert.equal(far, regions.regionOf({ latitude: 0, longitude: 0 }));
      assert.equal(await presence.count(region), 0);
    });

    test('neighbours named twice show their members once', async (engine) => {
      const neighboursOf = (region: string): string[] => [region, 'q', 'q'];
      const presence = await open(engine, { regions: { regionOf: () => 'r', neighboursOf } });
      for (const region of ['r', 'q']) await presence.join({ id: region, region });
      const around = await presence.members('r', { neighbours: true });
      assert.deepEqual(
        around.map(({ id }) => id),
        ['r', 'q'],
      );
    });

    test('who leaves is gone at once, and leaving twice is nothing', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const membership = await one.join({ id: 's1', user: 'ada', region: 'r' });
      await Promise.all([membership.leave(), membership.leave()]);
      await membership.leave();
      assert.equal(await two.get('s1'), undefined);
      assert.equal(await two.count('r'), 0);
      assert.equal((await two.user('ada')).online, false);
      membership.heartbeat();
      await refuses(() => membership.move({ region: 'r' }), 'Closed');
      assert.equal(await two.get('s1'), undefined);
    });

    test('an id that joins again belongs to the last, and the first can no longer touch it', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const heard = await record(two);
      const first = await one.join({ id: 's1', user: 'ada', region: 'r' });
      const second = await two.join({ id: 's1', user: 'bob', region: 's' });
      await refuses(() => first.move({ region: 'r' }), 'Closed');
      first.heartbeat();
      await first.leave();
      assert.equal((await one.get('s1'))?.user, 'bob');
      assert.deepEqual([await one.count('r'), await one.count('s')], [0, 1]);
      assert.equal((await one.user('ada')).online, false);
      await second.leave();
      await eventually(() => assert.deepEqual(heard, ['joined s1 r', 'left s1 r', 'joined s1 s', 'left s1 s']));
    });

    test('so it is where the same process joins it twice', async (engine) => {
      const presence = await open(engine);
      const first = await presence.join({ id: 's1', region: 'r' });
      const second = await presence.join({ id: 's1', region: 's' });
      await first.leave();
      assert.equal((await presence.get('s1'))?.region, 's');
      await second.leave();
      assert.equal(await presence.get('s1'), undefined);
    });

    test('H.19: of two that race for one id, one is there', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const heard = await record(one);
      for (let round = 0; round < 20; round++) {
        await Promise.all([one.join({ id: 'x', region: 'r' }), two.join({ id: 'x', region: 's' })]);
        const [r, s] = [await one.count('r'), await two.count('s')];
        assert.equal(r + s, 1);
      }
      await eventually(() => assert.equal(heard.length, 79));
      heard.forEach((event, index) => assert.ok(event.startsWith(index % 2 === 0 ? 'joined' : 'left'), event));
    });

    test('every subscriber hears every event once, in order', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const heard = await Promise.all([record(one), record(two), record(two)]);
      const membership = await one.join({ id: 's1', region: 'r' });
      const other = await two.join({ id: 's2' });
      await membership.move({ region: 's' });
      await membership.move({ region: 's', location: { latitude: 1, longitude: 1 } });
      await other.move({ region: 's' });
      await membership.leave();
      await other.leave();
      const expected = ['joined s1 r', 'joined s2 -', 'moved s1 s<r', 'moved s2 s<-', 'left s1 s', 'left s2 s'];
      await eventually(() => assert.deepEqual(heard, [expected, expected, expected]));
    });

    test('a region hears of itself alone, of moves to it and from it', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const [r, s] = [await record(two, 'r'), await record(two, 's')];
      const membership = await one.join({ id: 's1', region: 'r' });
      await one.join({ id: 's2', region: 'q' });
      await membership.move({ region: 's' });
      await membership.move({ region: 'q' });
      await membership.leave();
      await eventually(() => assert.deepEqual(r, ['joined s1 r', 'moved s1 s<r']));
      await eventually(() => assert.deepEqual(s, ['moved s1 s<r', 'moved s1 q<s']));
    });

    test('a subscription that was closed hears nothing', async (engine) => {
      const presence = await open(engine);
      const heard: string[] = [];
      const subscription = await presence.subscribe('r', ({ type }) => void heard.push(type));
      await presence.join({ id: 's1', region: 'r' });
      await eventually(() => assert.deepEqual(heard, ['joined']));
      subscription.close();
      subscription.close();
      await presence.join({ id: 's2', region: 'r' });
      assert.equal(await presence.count('r'), 2);
      assert.deepEqual(heard, ['joined']);
    });

    test('an event tells what the member was told with, whatever its form', async (engine) => {
      const presence = await open<unknown>(engine);
      const metas = [null, '', 'é\n"', { $date: 1 }, new Date(5), new Map([[1, new Set([2n])]]), 'x'.repeat(4_000)];
      const heard: unknown[] = [];
      await presence.subscribe('r', ({ member }) => void heard.push(member.meta));
      for (const [index, meta] of metas.entries()) await presence.join({ id: `s${index}`, region: 'r', meta });
      await eventually(() => assert.deepEqual(heard, metas));
      const read = await presence.members('r');
      assert.deepEqual(
        read.map(({ meta }) => meta),
        metas,
      );
      await presence.join({ id: 'bytes', region: 'b', meta: Buffer.from([0, 255, 7]) });
      assert.deepEqual((await presence.get('bytes'))?.meta, Buffer.from([0, 255, 7]));
      await refuses(() => presence.join({ id: 'big', meta: randomBytes(4_000) }), 'ValueTooLarge');
    });

    test('ids, users and regions that look like something else are themselves', async (engine) => {
      const presence = await open(engine);
      const names = ['a', 'a*', '*', 'a:b', '{a}', '%2A', 'é-ü', 'a b', '[a-z]', '日本', 'x'.repeat(512)];
      const heard = await record(presence, '*');
      for (const name of names) await presence.join({ id: name, user: name, region: name });
      for (const name of names) {
        assert.deepEqual(await ids(presence, name), [name]);
        assert.equal(await presence.count(name), 1);
        const [member] = (await presence.user(name)).members;
        assert.deepEqual([member?.id, member?.user, member?.region], [name, name, name]);
      }
      await eventually(() => assert.deepEqual(heard, ['joined * *']));
    });

    test('presences of different names share nothing', async (engine) => {
      const state = await engine.open();
      const names = ['a', 'a*', 'a:b', '{a}', 'a:events'];
      for (const name of names) await state.presence(name).join({ id: name, region: 'r', user: 'u' });
      for (const name of names) {
        const presence = state.presence(name);
        assert.deepEqual(await ids(presence, 'r'), [name]);
        assert.equal((await presence.user('u')).members.length, 1);
      }
    });

    test('a thousand members join, move and leave in one turn', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const numbers = Array.from({ length: 1_000 }, (_, index) => index);
      const all = await Promise.all(numbers.map((n) => one.join({ id: `m${n}`, region: `r${n % 10}`, user: 'ada' })));
      assert.equal(await two.count('r3'), 100);
      await Promise.all(all.map((membership) => membership.move({ region: 's' })));
      assert.deepEqual([await two.count('r3'), await two.count('s')], [0, 1_000]);
      assert.equal((await two.user('ada')).members.length, 1_000);
      await Promise.all(all.map((membership) => membership.leave()));
      assert.deepEqual([await two.count('s'), (await two.user('ada')).online], [0, false]);
    });

    test('steps of one member in one turn are done in their order', async (engine) => {
      const presence = await open(engine);
      const heard = await record(presence);
      const membership = await presence.join({ id: 's1', region: 'a' });
      const moves = ['b', 'c', 'a', 'd'].map((region) => membership.move({ region }));
      const left = membership.leave();
      await Promise.allSettled([...moves, left]);
      const trail = ['joined s1 a', 'moved s1 b<a', 'moved s1 c<b', 'moved s1 a<c', 'moved s1 d<a', 'left s1 d'];
      await eventually(() => assert.deepEqual(heard, trail));
    });

    test('S2.14: closing a process takes its members out at once, and nobody else', async (engine) => {
      const [closing, staying] = [await engine.open(), await open(engine)];
      const heard = await record(staying);
      const presence = closing.presence('p');
      await Promise.all(['a', 'b'].map((id) => presence.join({ id, region: 'r', user: 'ada' })));
      await staying.join({ id: 'c', region: 'r' });
      const late = presence.join({ id: 'late', region: 'q' }).catch(() => undefined);
      await closing.close();
      await late;
      assert.equal(await staying.count('q'), 0);
      assert.deepEqual(await ids(staying, 'r'), ['c']);
      assert.equal((await staying.user('ada')).online, false);
      await eventually(() =>
        assert.deepEqual(
          heard.filter((event) => !event.includes('late')),
          ['joined a r', 'joined b r', 'joined c r', 'left a r', 'left b r'],
        ),
      );
      await refuses(() => presence.join({ id: 'd' }), 'Closed');
    });

    test('one name used twice in one process is one presence', async (engine) => {
      const state = await engine.open();
      const [one, two] = [state.presence('p'), state.presence('p')];
      const first = await one.join({ id: 'a', region: 'r' });
      await two.join({ id: 'b', region: 'r' });
      assert.equal((await two.get('a'))?.owner, state.owner);
      const again = await two.join({ id: 'a', region: 'r' });
      await first.leave();
      assert.deepEqual(await ids(one, 'r'), ['a', 'b']);
      await again.leave();
      assert.deepEqual(await ids(one, 'r'), ['b']);
    });

    test('what is no presence, member, place or move is refused', async (engine) => {
      const state: SharedState = await engine.open();
      for (const name of ['', 'x'.repeat(51), 'é', 'a b', 5 as unknown as string]) {
        await refuses(() => state.presence(name));
      }
      for (const silence of [0, -1, 0.5, Number.NaN, '9s', Infinity, '1 fortnight'] as never[]) {
        await refuses(() => state.presence('p', { silence }));
      }
      const wrong = [{ prefix: 'p' }, { layout: 'documented' }, { layout: 'other' }, { silense: '1m' }] as never[];
      for (const options of wrong) await refuses(() => state.presence('p', options));
      await refuses(() => state.presence('p', { layout: 'documented', prefix: 'a b' }));
      const presence = state.presence('p');
      const texts = ['', 'a\nb', '\u0000', 'x'.repeat(513), '\ud800', 5 as unknown as string];
      for (const text of texts) {
        await refuses(() => presence.join({ id: text }));
        await refuses(() => presence.join({ id: 'a', user: text }));
        await refuses(() => presence.join({ id: 'a', region: text }));
        await refuses(() => presence.get(text));
        await refuses(() => presence.count(text));
        await refuses(() => presence.members(text));
        await refuses(() => presence.user(text));
        await refuses(() => presence.subscribe(text, () => undefined));
      }
      for (const degrees of [Number.NaN, 181, -180.1, Infinity, '1', undefined] as number[]) {
        await refuses(() => presence.join({ id: 'a', location: { latitude: degrees, longitude: 0 } }));
        await refuses(() => presence.join({ id: 'a', location: { latitude: 0, longitude: degrees } }));
      }
      await refuses(() => presence.join({ id: 'a', location: { latitude: 90.1, longitude: 0 } }));
      assert.equal(await presence.get('a'), undefined);
      const membership = await presence.join({ id: 'a', region: 'r' });
      await refuses(() => membership.move({}));
      await refuses(() => presence.members('r', { neighbours: true }));
      await refuses(() => presence.join({ id: 'a', location: { latitude: 1, longitude: 2 } }));
      await presence.join({ id: 'a', region: 'r', location: { latitude: 1, longitude: 2 } });
    });
  });
}
