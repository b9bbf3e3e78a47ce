import assert from 'node:assert/strict';
import type { SharedMap } from '../map/map.js';
import type { EngineKind } from './engine.js';
import { declareMapEntries, openMap } from './map-entry-conformance.js';
import { describeSuite, type DeclareTest, type TestRunner } from './suite.js';

/** What every map twin must do with entries; changes and replicas have a suite of their own. */
export function mapConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'map', (test) => {
    declareMapEntries(test, {});
    declareWhole(test);
    declareVersions(test);
    declareNames(test);
  });
  describeSuite(runner, kind, 'map, documented layout', (test) => {
    declareMapEntries(test, { prefix: '{documented}' });
    declareDocumented(test);
  });
}

function declareWhole(test: DeclareTest): void {
  test('S0.12: a dictionary: sets and deletes many, counts, lists and clears', async (engine) => {
    const map = await openMap<number>(engine);
    await map.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['a', 4],
    ]);
    assert.equal(await map.count(), 3);
    assert.deepEqual(await listed(map), [
      ['a', 4],
      ['b', 2],
      ['c', 3],
    ]);
    assert.equal(await map.deleteMany(['a', 'x', 'a']), 1);
    assert.equal(await map.count(), 2);
    assert.equal(await map.clear(), 2);
    assert.equal(await map.clear(), 0);
    assert.deepEqual(await listed(map), []);
    await map.setMany([]);
    assert.equal(await map.deleteMany([]), 0);
    assert.equal(await map.count(), 0);
  });

  test('values of every kind come back as they were', async (engine) => {
    const map = await openMap(engine);
    const values = [
      new Date(5),
      new Set([1]),
      new Map([['a', 1n]]),
      Buffer.from([0, 255, 124, 1]),
      new Float64Array([1.5]),
    ];
    for (const [index, value] of values.entries()) {
      await map.set(`k${index}`, value);
      assert.deepEqual(await map.get(`k${index}`), value);
    }
  });

  test('every entry comes in some page, however many there are', async (engine) => {
    const map = await openMap<number>(engine);
    const entries = Array.from({ length: 1_500 }, (_, n) => [`key ${n}`, n] as const);
    await map.setMany(entries);
    assert.equal(await map.count(), 1_500);
    const seen = new Map(await listed(map, 100));
    assert.equal(seen.size, 1_500);
    for (const [key, value] of entries) assert.equal(seen.get(key), value);
    assert.equal(await map.clear(), 1_500);
    assert.deepEqual(await listed(map), []);
  });

  test('pages take a limit and a cursor, and refuse nonsense', async (engine) => {
    const map = await openMap<number>(engine);
    await map.set('k', 1);
    for (const limit of [0, -1, 1.5, 1_001, Number.NaN, Infinity]) {
      await assert.rejects(map.page({ limit }), { code: 'InvalidArgument' });
    }
    for (const cursor of ['', 'x', '-1', '1e5', '00', '18446744073709551616', 7 as unknown as string]) {
      await assert.rejects(map.page({ cursor }), { code: 'InvalidArgument' });
    }
    await assert.rejects(map.page({ curser: '0' } as object), { code: 'InvalidArgument' });
    assert.equal((await map.page({ limit: 1 })).entries[0]?.value, 1);
  });

  test('ended entries are neither listed nor counted nor cleared, however many', async (engine) => {
    const map = await openMap<number>(engine);
    const many = Array.from({ length: 350 }, (_, n) => [`short ${n}`, n] as const);
    await map.setMany(many, { ttl: '5.5s' });
    await map.setMany([
      ['long', 1],
      ['longer', 2],
    ]);
    await engine.advance(6_000);
    assert.equal(await map.count(), 2);
    assert.deepEqual(await listed(map), [
      ['long', 1],
      ['longer', 2],
    ]);
    await map.setMany(many, { ttl: '5.5s' });
    await engine.advance(6_000);
    assert.equal(await map.clear(), 2);
    await map.setMany(many, { ttl: '5.5s' });
    await engine.advance(6_000);
    assert.equal(await map.deleteMany(many.map(([key]) => key)), 0);
    assert.equal(await map.count(), 0);
  });

  test('a map all of whose entries ended long ago is as new', async (engine) => {
    const map = await openMap<number>(engine);
    await map.set('k', 1, { ttl: '5.5s' });
    await engine.advance(2 * 3_600_000);
    assert.equal(await map.count(), 0);
    assert.equal(await map.add('k', 2), true);
    await engine.advance(2 * 3_600_000);
    assert.equal(await map.get('k'), 2);
  });

  test('an entry without end outlives all that have one', async (engine) => {
    const map = await openMap<number>(engine, { ttl: '5.5s' });
    await map.set('short', 1);
    await map.set('endless', 2, { ttl: Infinity });
    await map.set('short', 3);
    await engine.advance(10 * 3_600_000);
    assert.deepEqual(await listed(map), [['endless', 2]]);
    assert.equal(await map.count(), 1);
  });
}

function declareVersions(test: DeclareTest): void {
  test('S2.13: every entry names the process that wrote it, for all to see', async (engine) => {
    const [one, two] = [await engine.open({ owner: 'container-1' }), await engine.open({ owner: 'a|b%7C|' })];
    const maps = [one.map<number>('m'), two.map<number>('m')] as const;
    await maps[0].set('k', 1);
    assert.equal((await maps[1].getEntry('k'))?.owner, one.owner);
    assert.match(one.owner, /^container-1#/);
    await maps[1].update('k', () => 2);
    assert.equal((await maps[0].getEntry('k'))?.owner, two.owner);
    await maps[0].touch('k', '1h');
    assert.equal((await maps[0].getEntry('k'))?.owner, two.owner);
    assert.deepEqual(
      (await maps[0].page()).entries.map((entry) => entry.owner),
      [two.owner],
    );
  });

  test('versions grow with every write, also over deletion, end and clearing', async (engine) => {
    const map = await openMap<number>(engine);
    let before = 0;
    const grows = async (write: () => Promise<unknown>): Promise<void> => {
      await write();
      const version = (await map.getEntry('k'))?.version ?? 0;
      assert.ok(Number.isSafeInteger(version) && version > before, `${version} after ${before}`);
      before = version;
    };
    await grows(() => map.set('k', 1));
    await grows(() => map.set('k', 1));
    await grows(() => map.update('k', () => 1));
    await grows(() => map.touch('k', '5.5s'));
    await engine.advance(6_000);
    await grows(() => map.add('k', 1));
    await grows(async () => (await map.delete('k')) && map.add('k', 1));
    await grows(async () => (await map.clear()) && map.set('k', 1));
    await grows(() => map.setMany([['k', 1]]));
  });
}

function declareNames(test: DeclareTest): void {
  test('maps whose names look alike are apart', async (engine) => {
    const state = await engine.open();
    const names = ['m', 'm*', 'm:n', 'm:changes', 'm:expiry', '{m}', 'ü', 'x'.repeat(600)];
    for (const name of names) await state.map<string>(name).set('k', name);
    for (const name of names) assert.equal(await state.map<string>(name).get('k'), name);
    assert.equal(await state.map('m*').clear(), 1);
    assert.equal(await state.map('m').get('k'), 'm');
    assert.throws(() => state.map(''), { code: 'InvalidArgument' });
  });

  test('changes and replicas are for maps that were opened with changes', async (engine) => {
    const state = await engine.open();
    await assert.rejects(state.map('m').replica(), { code: 'InvalidArgument' });
    await assert.rejects(
      state.map('m').subscribe(() => undefined),
      { code: 'InvalidArgument' },
    );
    assert.throws(() => state.map('ü', { changes: true }), { code: 'InvalidArgument' });
    assert.throws(() => state.map('m', { changes: 1 as unknown as boolean }), { code: 'InvalidArgument' });
  });

  test('closing rejects what comes after', async (engine) => {
    const state = await engine.open();
    const map = state.map<number>('m');
    await map.set('k', 1);
    await state.close();
    await assert.rejects(map.get('k'), { code: 'Closed' });
    await assert.rejects(
      map.update('k', () => 2),
      { code: 'Closed' },
    );
    assert.throws(() => state.map('m'), { code: 'Closed' });
  });
}

function declareDocumented(test: DeclareTest): void {
  const options = { prefix: '{documented}' };

  test('what JSON cannot hold is refused', async (engine) => {
    const map = await openMap(engine, options);
    for (const value of [new Date(), new Set(), 1n, Buffer.from('x'), Number.NaN]) {
      await assert.rejects(map.set('k', value), { code: 'InvalidArgument' });
    }
    assert.equal(await map.has('k'), false);
  });

  test('only single entries: the rest refuses', async (engine) => {
    const map = await openMap<number>(engine, options);
    const refused = [
      () => map.setMany([['k', 1]]),
      () => map.deleteMany(['k']),
      () => map.count(),
      () => map.clear(),
      () => map.page(),
      () => map.replica(),
      () => map.subscribe(() => undefined),
    ];
    for (const call of refused) await assert.rejects(call, { code: 'InvalidArgument', message: /without prefix/ });
    await assert.rejects(openMap(engine, { ...options, changes: true }), { code: 'InvalidArgument' });
    for (const prefix of ['', 'ü', 'a b', 'x'.repeat(300)]) {
      const state = await engine.open();
      assert.throws(() => state.map('m', { prefix }), { code: 'InvalidArgument' });
    }
  });

  test('an entry tells neither version nor owner', async (engine) => {
    const map = await openMap<number>(engine, options);
    await map.set('k', 1);
    const entry = await map.getEntry('k');
    assert.deepEqual(entry, { key: 'k', value: 1, version: undefined, owner: undefined, expiresAtMs: undefined });
  });
}

/** Keys and values of all entries, by key. */
async function listed<Value>(map: SharedMap<Value>, limit: number = 1_000): Promise<[string, Value][]> {
  const found: [string, Value][] = [];
  let cursor: string | undefined;
  do {
    const page = await map.page(cursor === undefined ? { limit } : { cursor, limit });
    found.push(...page.entries.map(({ key, value }): [string, Value] => [key, value]));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found.toSorted(([left], [right]) => (left < right ? -1 : 1));
}
