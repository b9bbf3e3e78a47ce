import assert from 'node:assert/strict';
import { systemClock } from '../clock.js';
import type { SharedMap } from '../map/map.js';
import type { MapOptions } from '../map/map-options.js';
import type { Engine } from './engine.js';
import type { DeclareTest } from './suite.js';

/** What single entries must do in either layout of a map. */
export function declareMapEntries(test: DeclareTest, options: MapOptions): void {
  declareEntries(test, options);
  declareLifetimes(test, options);
  declareUpdates(test, options);
}

/** The map `m` of one more state. A prefix is put behind the namespace, so that engines sharing a server stay apart. */
export async function openMap<Value = unknown>(engine: Engine, options: MapOptions = {}): Promise<SharedMap<Value>> {
  const state = await engine.open();
  const { prefix } = options;
  return state.map<Value>('m', prefix === undefined ? options : { ...options, prefix: `${state.namespace}:${prefix}` });
}

function openMaps(engine: Engine, count: number, options: MapOptions): Promise<SharedMap<number>[]> {
  return Promise.all(Array.from({ length: count }, () => openMap<number>(engine, options)));
}

function declareEntries(test: DeclareTest, options: MapOptions): void {
  test('H.13: an absent key is undefined, and says so', async (engine) => {
    const map = await openMap(engine, options);
    assert.equal(await map.get('k'), undefined);
    assert.equal(await map.getEntry('k'), undefined);
    assert.equal(await map.has('k'), false);
    assert.equal(await map.delete('k'), false);
    assert.equal(await map.touch('k', '1h'), false);
    assert.equal(await map.touch('k', Infinity), false);
  });

  test('S2.3: what one container sets every other reads', async (engine) => {
    const [one, two] = [await openMap(engine, options), await openMap(engine, options)];
    await one.set('k', { status: 'running', done: 3 });
    assert.deepEqual(await two.get('k'), { status: 'running', done: 3 });
    assert.equal(await two.has('k'), true);
    await two.set('k', { status: 'done' });
    assert.deepEqual(await one.get('k'), { status: 'done' });
    assert.equal(await one.delete('k'), true);
    assert.equal(await two.get('k'), undefined);
  });

  test('S2.2: a session is created, read, updated and deleted by its key, and ends after its ttl', async (engine) => {
    const [one, two] = [await openMap<object>(engine, options), await openMap<object>(engine, options)];
    assert.equal(await one.add('session', { step: 1 }, { ttl: '3600s' }), true);
    await two.update('session', (session) => ({ ...session, done: true }), { ttl: '3600s' });
    assert.deepEqual(await one.get('session'), { step: 1, done: true });
    assert.equal(await one.delete('session'), true);
    assert.equal(await two.get('session'), undefined);
    await one.set('session', { step: 2 }, { ttl: '3600s' });
    await engine.advance(3_599_000);
    assert.deepEqual(await two.get('session'), { step: 2 });
    await engine.advance(2_000);
    assert.equal(await two.get('session'), undefined);
  });

  test('H.22: null, false, zero, empty and large values come back as they were', async (engine) => {
    const map = await openMap(engine, options);
    const values = [
      null,
      false,
      0,
      '',
      [],
      {},
      'a|b|c|d',
      '\u0000é\u2028😀',
      { deep: [{ a: 1 }] },
      'x'.repeat(200_000),
    ];
    for (const value of values) {
      await map.set('k', value);
      assert.deepEqual(await map.get('k'), value);
    }
  });

  test('what comes back is a copy', async (engine) => {
    const map = await openMap<{ list: number[] }>(engine, options);
    const value = { list: [1] };
    await map.set('k', value);
    value.list.push(2);
    (await map.get('k'))?.list.push(3);
    assert.deepEqual(await map.get('k'), { list: [1] });
  });

  test('undefined and what is not data are refused, and nothing is written', async (engine) => {
    const map = await openMap(engine, options);
    await map.set('k', 1);
    for (const value of [undefined, () => 1, Symbol('s'), Promise.resolve(1)]) {
      await assert.rejects(map.set('k', value), { code: 'InvalidArgument' });
      await assert.rejects(map.add('other', value), { code: 'InvalidArgument' });
    }
    assert.equal(await map.get('k'), 1);
    assert.equal(await map.has('other'), false);
  });

  test('many keys are read at once, absent ones are left out', async (engine) => {
    const map = await openMap<number>(engine, options);
    await Promise.all([map.set('a', 1), map.set('b', 2)]);
    assert.deepEqual(
      [...(await map.getMany(['b', 'x', 'a', 'b']))],
      [
        ['b', 2],
        ['a', 1],
      ],
    );
    assert.equal((await map.getMany([])).size, 0);
    const keys = Array.from({ length: 2_500 }, (_, n) => `k${n}`);
    await map.set('k2400', 7);
    assert.deepEqual([...(await map.getMany(keys))], [['k2400', 7]]);
  });

  test('of many who add a key one does', async (engine) => {
    const maps = await openMaps(engine, 3, options);
    const added = await Promise.all(Array.from({ length: 30 }, async (_, n) => maps[n % 3]?.add('k', n)));
    const winner = added.indexOf(true);
    assert.equal(added.filter(Boolean).length, 1);
    assert.equal(await maps[0]?.get('k'), winner);
  });

  test('any text of up to 512 bytes is a key, and keys do not meet', async (engine) => {
    const map = await openMap<string>(engine, options);
    const keys = [
      'a',
      'a:b',
      'a:b:c',
      'a*',
      'a?',
      '{a}',
      '%7C',
      '|',
      ' ',
      '\n',
      '__proto__',
      'constructor',
      'ä',
      '😀',
      'x'.repeat(512),
    ];
    for (const key of keys) await map.set(key, key);
    assert.deepEqual(
      [...(await map.getMany(keys))],
      keys.map((key) => [key, key]),
    );
    assert.equal(await map.delete('a*'), true);
    assert.equal(await map.get('a:b'), 'a:b');
    for (const key of ['', 'x'.repeat(513), 'ä'.repeat(257), '\ud800', 7 as unknown as string]) {
      await assert.rejects(map.get(key), { code: 'InvalidArgument' });
      await assert.rejects(map.set(key, ''), { code: 'InvalidArgument' });
      await assert.rejects(
        map.update(key, () => ''),
        { code: 'InvalidArgument' },
      );
    }
  });
}

function declareLifetimes(test: DeclareTest, options: MapOptions): void {
  test('H.11: an entry without a ttl has no end, one with a ttl ends exactly then', async (engine) => {
    const map = await openMap<number>(engine, options);
    await map.set('for ever', 1);
    await map.set('short', 2, { ttl: '10.5s' });
    await engine.advance(10_000);
    assert.equal(await map.get('short'), 2);
    assert.equal((await map.getEntry('for ever'))?.expiresAtMs, undefined);
    await engine.advance(1_000);
    assert.equal(await map.get('short'), undefined);
    assert.equal(await map.has('short'), false);
    assert.equal(await map.delete('short'), false);
    assert.equal(await map.touch('short', '1m'), false);
    assert.equal((await map.getMany(['short', 'for ever'])).size, 1);
    await engine.advance(100 * 24 * 3_600_000);
    assert.equal(await map.get('for ever'), 1);
  });

  test('the ttl of the map holds unless a write says otherwise', async (engine) => {
    const map = await openMap<number>(engine, { ...options, ttl: '10.5s' });
    await map.set('own', 1);
    await map.set('longer', 1, { ttl: '20.5s' });
    await map.set('endless', 1, { ttl: Infinity });
    assert.equal(await map.add('added', 1), true);
    await map.update('updated', () => 1);
    await engine.advance(11_000);
    const left = await map.getMany(['own', 'longer', 'endless', 'added', 'updated']);
    assert.deepEqual([...left.keys()], ['longer', 'endless']);
  });

  test('setting, updating and touching begin a lifetime anew, also from endless and to endless', async (engine) => {
    const map = await openMap<number>(engine, options);
    for (const key of ['set', 'updated', 'touched', 'to endless', 'left']) await map.set(key, 1, { ttl: '10.5s' });
    await map.set('from endless', 1);
    await engine.advance(6_000);
    await map.set('set', 2, { ttl: '10.5s' });
    await map.update('updated', (value) => (value ?? 0) + 1, { ttl: '10.5s' });
    assert.equal(await map.touch('touched', '10.5s'), true);
    assert.equal(await map.touch('to endless', Infinity), true);
    assert.equal(await map.touch('from endless', '10.5s'), true);
    await engine.advance(6_000);
    const keys = ['set', 'updated', 'touched', 'to endless', 'left', 'from endless'];
    const left = await map.getMany(keys);
    assert.deepEqual(
      [...left],
      [
        ['set', 2],
        ['updated', 2],
        ['touched', 1],
        ['to endless', 1],
        ['from endless', 1],
      ],
    );
    await engine.advance(6_000);
    assert.deepEqual([...(await map.getMany(keys)).keys()], ['to endless']);
  });

  test('an ended key may be added, and an update finds it absent', async (engine) => {
    const [one, two] = [await openMap<number>(engine, options), await openMap<number>(engine, options)];
    await one.update('updated', () => 1, { ttl: '10.5s' });
    await one.set('added', 1, { ttl: '10.5s' });
    await engine.advance(11_000);
    assert.equal(await two.add('added', 2), true);
    assert.equal(await one.update('updated', (value) => value ?? 9), 9);
  });

  test('when an entry ends can be read', async (engine) => {
    const map = await openMap<number>(engine, options);
    await map.set('a', 1, { ttl: '60s' });
    await map.set('b', 1, { ttl: '90s' });
    const [a, b] = [(await map.getEntry('a'))?.expiresAtMs ?? 0, (await map.getEntry('b'))?.expiresAtMs ?? 0];
    assert.ok(Math.abs(b - a - 30_000) < 2_000, `${a} and ${b}`);
  });

  test('H.16: zero, negative, endless and nonsense lifetimes', async (engine) => {
    const map = await openMap<number>(engine, options);
    for (const ttl of [0, -1, Number.NaN, -Infinity, 1e15, 'soon', '1 week']) {
      await assert.rejects(map.set('k', 1, { ttl: ttl as number }), { code: 'InvalidArgument' });
      await assert.rejects(map.touch('k', ttl as number), { code: 'InvalidArgument' });
      await assert.rejects(
        map.update('k', () => 1, { ttl: ttl as number }),
        { code: 'InvalidArgument' },
      );
    }
    assert.equal(await map.has('k'), false);
    await map.set('k', 1, { ttl: 0.5 });
    await engine.advance(1_000);
    assert.equal(await map.get('k'), undefined);
    await map.set('k', 1, { ttl: '36500d' });
    await engine.advance(2 ** 31);
    assert.equal(await map.get('k'), 1);
  });

  test('options with a name that there is not are refused', async (engine) => {
    const map = await openMap<number>(engine, options);
    await assert.rejects(map.set('k', 1, { tll: 5 } as object), { code: 'InvalidArgument' });
    await assert.rejects(
      map.update('k', () => 1, { tll: 5 } as object),
      { code: 'InvalidArgument' },
    );
    await assert.rejects(openMap(engine, { ...options, tll: 5 } as object), { code: 'InvalidArgument' });
  });
}

function declareUpdates(test: DeclareTest, options: MapOptions): void {
  test('an update sees the present value, and its result is what is there', async (engine) => {
    const [one, two] = [await openMap<number>(engine, options), await openMap<number>(engine, options)];
    assert.equal(await one.update('k', (value) => (value === undefined ? 1 : -1)), 1);
    await two.set('k', 5);
    assert.equal(await one.update('k', (value) => (value ?? 0) + 1), 6);
    assert.equal(await two.get('k'), 6);
  });

  test('an update of undefined writes nothing, and answers with what is there now', async (engine) => {
    const [one, two] = [await openMap<number>(engine, options), await openMap<number>(engine, options)];
    assert.equal(await one.update('absent', () => undefined), undefined);
    assert.equal(await one.has('absent'), false);
    await one.update('k', () => 1);
    await two.set('k', 2);
    assert.equal(await one.update('k', () => undefined), 2);
    await two.delete('k');
    assert.equal(await one.update('k', () => undefined), undefined);
  });

  test('an update that throws rejects, writes nothing, and holds up no other', async (engine) => {
    const map = await openMap<number>(engine, options);
    await map.set('k', 1);
    const broken = map.update('k', () => {
      throw new Error('no luck');
    });
    const good = map.update('k', (value) => (value ?? 0) + 1);
    await assert.rejects(broken, { message: 'no luck' });
    assert.equal(await good, 2);
  });

  test('an update does not fail for a value that is no longer there', async (engine) => {
    const [one, two] = [await openMap<number>(engine), await openMap<number>(engine)];
    const take = (stock: number | undefined): number => {
      if (stock === undefined || stock === 0) throw new Error('sold out');
      return stock - 1;
    };
    await one.set('stock', 1);
    await one.update('stock', take);
    await two.set('stock', 5);
    assert.equal(await one.update('stock', take), 4);
    await one.update('stock', () => 0);
    await assert.rejects(one.update('stock', take), { message: 'sold out' });
  });

  test('an update may change the value it is given', async (engine) => {
    const map = await openMap<{ done: number }>(engine, options);
    await map.set('k', { done: 1 });
    const after = await map.update('k', (value = { done: 0 }) => {
      value.done++;
      return value;
    });
    assert.deepEqual(after, { done: 2 });
    assert.deepEqual(await map.get('k'), { done: 2 });
  });

  test('an update meets a deletion and a new entry in its way', async (engine) => {
    const [one, two] = [await openMap<string>(engine, options), await openMap<string>(engine, options)];
    await one.update('k', () => 'first');
    await two.delete('k');
    await two.set('k', 'second');
    assert.equal(await one.update('k', (value) => `${value}+`), 'second+');
  });

  test('a thousand concurrent updates of one key from three processes lose nothing', async (engine) => {
    const maps = await openMaps(engine, 3, options);
    const startedAtMs = systemClock.monotonic();
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => maps[n % 3]?.update('k', (value) => (value ?? 0) + 1)),
    );
    assert.equal(await maps[0]?.get('k'), 1_000);
    const tookMs = systemClock.monotonic() - startedAtMs;
    assert.ok(tookMs < 5_000, `took ${tookMs} ms`);
  });

  test('updates through maps that are opened for each of them wait for each other as well', async (engine) => {
    const state = await engine.open();
    const place = options.prefix === undefined ? {} : { prefix: `${state.namespace}:${options.prefix}` };
    const startedAtMs = systemClock.monotonic();
    await Promise.all(
      Array.from({ length: 1_000 }, () => state.map<number>('m', place).update('k', (value) => (value ?? 0) + 1)),
    );
    assert.equal(await state.map('m', place).get('k'), 1_000);
    const tookMs = systemClock.monotonic() - startedAtMs;
    assert.ok(tookMs < 5_000, `took ${tookMs} ms`);
  });

  test('H.19: updates race with sets, adds and deletes, and none is half done', async (engine) => {
    const maps = await openMaps(engine, 3, options);
    let deleted = 0;
    await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const map = maps[n % 3];
        if (n % 10 === 0) deleted += Number(await map?.delete('k'));
        else if (n % 10 === 1) await map?.add('k', 1_000);
        else await map?.update('k', (value) => (value ?? 0) + 1);
      }),
    );
    assert.equal(typeof ((await maps[0]?.get('k')) ?? 0), 'number');
    assert.ok(deleted > 0);
  });
}
