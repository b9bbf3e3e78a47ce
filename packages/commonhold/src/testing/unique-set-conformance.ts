import assert from 'node:assert/strict';
import type { UniqueSet } from '../unique-set/unique-set.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

const dayMs = 86_400_000;

/** What every unique-set twin must do. */
export function uniqueSetConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'unique set', (test) => {
    test('H.13: an absent set has no members, and taking away from it says so', async (engine) => {
      const set = (await engine.open()).uniqueSet('s');
      assert.equal(await set.count(), 0);
      assert.equal(await set.has('a'), false);
      assert.deepEqual(await set.hasMany(['a', 'b']), [false, false]);
      assert.deepEqual(await set.page(), { members: [], cursor: undefined });
      assert.equal(await set.delete(['a', 'b']), 0);
      assert.equal(await set.clear(), 0);
    });

    for (const options of [{}, { ttl: '1h' }] as const) {
      test(`adding says how many were new, ${'ttl' in options ? 'with' : 'without'} ttl`, async (engine) => {
        const [here, there] = await Promise.all([engine.open(), engine.open()]);
        const set = here.uniqueSet('s', options);
        assert.equal(await set.add('a'), 1);
        assert.equal(await set.add('a'), 0);
        assert.equal(await set.add(['a', 'b', 'c']), 2);
        assert.equal(await set.add(['d', 'd', 'a']), 1);
        assert.equal(await set.add(new Set(['d', 'e'])), 1);
        const other = there.uniqueSet('s', options);
        assert.equal(await other.count(), 5);
        assert.equal(await other.has('e'), true);
        assert.deepEqual(await other.hasMany(['e', 'x', 'a', 'a']), [true, false, true, true]);
        assert.deepEqual(await membersOf(other), ['a', 'b', 'c', 'd', 'e']);
      });

      test(`S0.8: of many processes, ${'ttl' in options ? 'with' : 'without'} ttl, one finds each member new`, async (engine) => {
        const states = await Promise.all([engine.open(), engine.open(), engine.open()]);
        const sets = states.map((state) => state.uniqueSet('roses', options));
        const roses = Array.from({ length: 60 }, (_, n) => `rose-${n}`);
        const adds = sets.flatMap((set) => roses.map((_, n) => set.add(roses.slice(n, n + 3))));
        const counts = await Promise.all(adds);
        assert.equal(
          counts.reduce((sum, count) => sum + count),
          60,
        );
        assert.equal(await (sets[0] as UniqueSet).count(), 60);
      });
    }

    test('no members are nothing to do, and begin no set', async (engine) => {
      const set = (await engine.open()).uniqueSet('s', { ttl: '10s' });
      assert.deepEqual(await Promise.all([set.add([]), set.hasMany([]), set.delete([])]), [0, [], 0]);
      await engine.advance(6_000);
      await set.add('a');
      await engine.advance(6_000);
      assert.equal(await set.count(), 1);
    });

    test('deleting says how many were there, clearing takes all', async (engine) => {
      const set = (await engine.open()).uniqueSet('s');
      await set.add(['a', 'b', 'c', 'd']);
      assert.equal(await set.delete('a'), 1);
      assert.equal(await set.delete('a'), 0);
      assert.equal(await set.delete(['b', 'b', 'x']), 1);
      assert.deepEqual(await membersOf(set), ['c', 'd']);
      assert.equal(await set.clear(), 2);
      assert.equal(await set.count(), 0);
      assert.equal(await set.add('a'), 1);
    });

    test('a member is any well-formed text up to 64 KiB', async (engine) => {
      const set = (await engine.open()).uniqueSet('s');
      const members = [
        '',
        ' ',
        '0',
        'a:b',
        '{x}',
        '*',
        '\u0000',
        '\r\n',
        'é',
        'e\u0301',
        '\u{1f339}',
        'x'.repeat(65_536),
      ];
      assert.equal(await set.add(members), members.length);
      assert.deepEqual(
        await set.hasMany(members),
        members.map(() => true),
      );
      assert.deepEqual(await membersOf(set), members.toSorted());
      assert.equal(await set.delete(members), members.length);
    });

    test('what is no such text is refused, and nothing of its batch is added', async (engine) => {
      const set = (await engine.open()).uniqueSet('s');
      const wrong = ['\ud800', 1, null, undefined, {}, Buffer.from('a')] as string[];
      for (const member of wrong) {
        await assert.rejects(set.add(['a', member]), { code: 'InvalidArgument' });
        await assert.rejects(set.has(member), { code: 'InvalidArgument' });
        await assert.rejects(set.hasMany([member]), { code: 'InvalidArgument' });
        await assert.rejects(set.delete([member]), { code: 'InvalidArgument' });
      }
      await assert.rejects(set.add(1 as unknown as string), { code: 'InvalidArgument' });
      for (const large of ['x'.repeat(65_537), 'é'.repeat(32_769)]) {
        await assert.rejects(set.add(['a', large]), { code: 'ValueTooLarge' });
        await assert.rejects(set.has(large), { code: 'ValueTooLarge' });
      }
      assert.equal(await set.count(), 0);
    });

    test('a batch may be larger than one step', async (engine) => {
      const set = (await engine.open()).uniqueSet('s', { ttl: '1h' });
      const many = Array.from({ length: 12_001 }, (_, n) => `member-${n}`);
      assert.equal(await set.add(many), 12_001);
      assert.equal(await set.add([...many, 'one more']), 1);
      assert.deepEqual(await set.hasMany(['none', ...many]), [false].concat(many.map(() => true)));
      assert.equal(await set.delete(many), 12_001);
      assert.deepEqual(await membersOf(set), ['one more']);
      const heavy = Array.from({ length: 40 }, (_, n) => `${n}`.padEnd(60_000, 'x'));
      assert.equal(await set.add(heavy), 40);
      assert.equal(await set.clear(), 41);
    });

    test('reading by page meets every member that stays, whatever comes and goes', async (engine) => {
      const set = (await engine.open()).uniqueSet('s');
      const staying = Array.from({ length: 2_000 }, (_, n) => `stays-${n}`);
      const going = Array.from({ length: 2_000 }, (_, n) => `goes-${n}`);
      await set.add(staying.flatMap((member, n) => [member, going[n] as string]));
      const seen = new Set<string>();
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await set.page({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
        for (const member of page.members) seen.add(member);
        await set.delete(going.splice(0, 60));
        await set.add(`comes-${pages++}`);
        ({ cursor } = page);
      } while (cursor !== undefined);
      assert.ok(pages > 10, `${pages} pages`);
      assert.deepEqual(
        staying.filter((member) => !seen.has(member)),
        [],
      );
    });

    test('limits and cursors that are none are refused', async (engine) => {
      const set = (await engine.open()).uniqueSet('s');
      await set.add(['a', 'b']);
      for (const limit of [0, -1, 1.5, 1_001, Number.NaN, '5' as unknown as number]) {
        await assert.rejects(set.page({ limit }), { code: 'InvalidArgument' });
      }
      for (const cursor of ['', 'x', '-1', '01', '1.5', '18446744073709551616', 5 as unknown as string]) {
        await assert.rejects(set.page({ cursor }), { code: 'InvalidArgument' });
      }
      await assert.rejects(set.page({ count: 5 } as object), { code: 'InvalidArgument' });
      assert.ok((await set.page({ cursor: '18446744073709551615' })).members.length <= 2);
    });

    test('a ttl begins with the first add, holds for all members and is not prolonged', async (engine) => {
      const set = (await engine.open()).uniqueSet('s', { ttl: '10s' });
      await set.add('a');
      await engine.advance(6_000);
      await set.add(['b', 'a']);
      await engine.advance(3_000);
      assert.equal(await set.count(), 2);
      await engine.advance(2_000);
      assert.equal(await set.count(), 0);
      assert.deepEqual(await set.hasMany(['a', 'b']), [false, false]);
      assert.equal(await set.add('a'), 1);
      await engine.advance(9_000);
      assert.equal(await set.has('a'), true);
    });

    test('a ttl begins again when the last member is gone', async (engine) => {
      const set = (await engine.open()).uniqueSet('s', { ttl: '10s' });
      for (const empty of [() => set.delete(['a', 'b']), () => set.clear()]) {
        await set.add(['a', 'b']);
        await engine.advance(6_000);
        await empty();
        await set.add('c');
        await engine.advance(6_000);
        assert.equal(await set.count(), 1);
        await engine.advance(5_000);
        assert.equal(await set.count(), 0);
      }
    });

    test('deleting some members leaves the end where it is', async (engine) => {
      const set = (await engine.open()).uniqueSet('s', { ttl: '10s' });
      await set.add(['a', 'b']);
      await engine.advance(6_000);
      await set.delete('a');
      await engine.advance(3_000);
      assert.equal(await set.has('b'), true);
      await engine.advance(2_000);
      assert.equal(await set.has('b'), false);
    });

    test('H.16: a set begun without ttl stays, thirty days do not end at once, half a millisecond does', async (engine) => {
      const state = await engine.open();
      const [ever, long] = [state.uniqueSet('ever', { ttl: Infinity }), state.uniqueSet('long', { ttl: '30d' })];
      const tiny = state.uniqueSet('tiny', { ttl: 0.5 });
      await Promise.all([ever.add('a'), long.add('a'), tiny.add('a')]);
      await (await engine.open()).uniqueSet('ever', { ttl: '1s' }).add('b');
      await engine.advance(29 * dayMs);
      assert.deepEqual(await Promise.all([ever.count(), long.count(), tiny.count()]), [2, 1, 0]);
      await engine.advance(2 * dayMs);
      assert.deepEqual(await Promise.all([ever.count(), long.count()]), [2, 0]);
    });

    test('a bad name, ttl, prefix or option is refused when the set is made', async (engine) => {
      const state = await engine.open();
      assert.throws(() => state.uniqueSet(''), { code: 'InvalidArgument' });
      assert.throws(() => state.uniqueSet('\ud800'), { code: 'InvalidArgument' });
      for (const ttl of [0, -1, Number.NaN, '73000d' as const]) {
        assert.throws(() => state.uniqueSet('s', { ttl }), { code: 'InvalidArgument' });
      }
      for (const prefix of ['', 'a b', 'é', 'x'.repeat(257)]) {
        assert.throws(() => state.uniqueSet('s', { prefix }), { code: 'InvalidArgument' });
      }
      assert.throws(() => state.uniqueSet('s', { TTL: '1h' } as object), { code: 'InvalidArgument' });
    });

    test('sets, prefixes and namespaces do not see each other, whatever their names', async (engine) => {
      const state = await engine.open();
      const other = await engine.open({ namespace: `${state.namespace}.other` });
      const names = ['s', 's:t', 's*', '{s}', '%73', 'S', ' ', 'x'.repeat(600), `${'x'.repeat(599)}y`];
      const sets = names.flatMap((name) => [
        state.uniqueSet(name),
        other.uniqueSet(name),
        state.uniqueSet(name, { prefix: `${state.namespace}:doc` }),
        state.uniqueSet(name, { prefix: `${state.namespace}:doc:*` }),
      ]);
      for (const [index, set] of sets.entries()) assert.equal(await set.add([`m${index}`, 'all']), 2);
      for (const [index, set] of sets.entries()) {
        assert.deepEqual(await membersOf(set), ['all', `m${index}`]);
        assert.equal(await set.clear(), 2);
      }
    });

    test('a set with a prefix does all that others do', async (engine) => {
      const state = await engine.open();
      const set = state.uniqueSet('ada', { prefix: `${state.namespace}:doc`, ttl: '10s' });
      assert.equal(await set.add(['a', 'b', 'c']), 3);
      assert.deepEqual(await set.hasMany(['a', 'x']), [true, false]);
      assert.equal(await set.delete('a'), 1);
      assert.deepEqual(await membersOf(set), ['b', 'c']);
      await engine.advance(11_000);
      assert.equal(await set.count(), 0);
    });

    test('after the state is closed every call says so', async (engine) => {
      const state = await engine.open();
      const set = state.uniqueSet('s');
      await state.close();
      const calls = [
        set.add('a'),
        set.has('a'),
        set.hasMany(['a']),
        set.count(),
        set.page(),
        set.delete('a'),
        set.clear(),
      ];
      for (const call of calls) await assert.rejects(call, { code: 'Closed' });
    });
  });
}

async function membersOf(set: UniqueSet): Promise<string[]> {
  const members: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await set.page({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    members.push(...page.members);
    ({ cursor } = page);
  } while (cursor !== undefined);
  // No member comes twice while nothing changes.
  return members.toSorted();
}
