import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { MapChange } from '../map/map-entry.js';
import type { SharedMap } from '../map/map.js';
import type { MapOptions } from '../map/map-options.js';
import type { MapReplica } from '../map/map-replica.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type DeclareTest, type TestRunner } from './suite.js';
import { eventually, waitUntil } from './waiting.js';

/** What every map twin must tell of changes, and what a replica must show. */
export function mapChangeConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'map changes', declareChanges);
  describeSuite(runner, kind, 'map replica', declareReplica);
}

/** The map `m` of one more state, with changes. */
async function openMap<Value = number>(engine: Engine, options: MapOptions = {}): Promise<SharedMap<Value>> {
  return (await engine.open()).map<Value>('m', { ...options, changes: true });
}

/** A subscriber that writes down what it hears. */
class Changes<Value = number> {
  readonly changes: MapChange<Value>[] = [];
  resyncs = 0;

  async listen(map: SharedMap<Value>): Promise<this> {
    await map.subscribe((change) => void this.changes.push(change), { onResync: () => void this.resyncs++ });
    return this;
  }

  /** The first `count` changes in short: `set key value`, `delete key`, `clear`. */
  async heard(count: number): Promise<string[]> {
    await waitUntil(
      () => `${count} changes, of which ${this.changes.length} came`,
      () => this.changes.length >= count,
    );
    return this.changes.map((change) => {
      if (change.type === 'clear') return 'clear';
      return change.type === 'set' ? `set ${change.key} ${String(change.value)}` : `delete ${change.key}`;
    });
  }
}

function declareChanges(test: DeclareTest): void {
  test('every write is heard, in order, with who made it', async (engine) => {
    const [state, other] = [await engine.open(), await engine.open()];
    const map = state.map<number>('m', { changes: true });
    const changes = await new Changes().listen(other.map('m', { changes: true }));
    await map.set('a', 1);
    await map.setMany([
      ['b', 2],
      ['c', 3],
    ]);
    await map.update('a', (value) => (value ?? 0) + 10);
    await map.add('d', 4);
    await map.add('d', 5);
    await map.delete('b');
    await map.deleteMany(['b', 'x', 'c']);
    await map.touch('a', '1h');
    await map.clear();
    await map.set('a', 9);
    const expected = [
      'set a 1',
      'set b 2',
      'set c 3',
      'set a 11',
      'set d 4',
      'delete b',
      'delete c',
      'set a 11',
      'clear',
      'set a 9',
    ];
    assert.deepEqual(await changes.heard(expected.length), expected);
    assert.ok(changes.changes.every((change) => change.owner === state.owner));
    const versions = changes.changes.map((change) => change.version);
    assert.deepEqual(
      versions,
      versions.toSorted((left, right) => left - right),
    );
    assert.equal(changes.resyncs, 0);
  });

  test('of several values for one key in a batch the last is stored, and the only one told of', async (engine) => {
    const map = await openMap(engine);
    const replica = await map.replica();
    const changes = await new Changes().listen(map);
    await map.setMany([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
    await map.set('end', 0);
    assert.deepEqual(await changes.heard(3), ['set a 3', 'set b 2', 'set end 0']);
    assert.equal(await map.get('a'), 3);
    await shows(replica, { a: 3, b: 2, end: 0 });
  });

  test('what a change tells is what is stored', async (engine) => {
    const map = await openMap<unknown>(engine);
    const changes = await new Changes<unknown>().listen(map);
    const values = [
      null,
      'é😀"\\/\n|',
      { a: [1] },
      new Map([['k', new Date(7)]]),
      Buffer.from([0, 1, 255]),
      'x'.repeat(20_000),
    ];
    for (const [index, value] of values.entries()) await map.set(`key/"${index}\u0001é`, value, { ttl: '1h' });
    await changes.heard(values.length);
    for (const [index, value] of values.entries()) {
      const entry = await map.getEntry(`key/"${index}\u0001é`);
      assert.deepEqual(entry?.value, value);
      assert.deepEqual(changes.changes[index], { type: 'set', ...entry });
    }
  });

  test('the end of an entry is a deletion by nobody, when somebody looks or writes', async (engine) => {
    const map = await openMap(engine, { ttl: '5.5s' });
    const changes = await new Changes().listen(await openMap(engine, { ttl: '5.5s' }));
    const looks = [
      () => map.get('k'),
      () => map.getMany(['x', 'k']),
      () => map.has('k'),
      () => map.count(),
      () => map.page(),
      () => map.delete('k'),
      () => map.touch('k', '1h'),
      () => map.add('k', 2),
      () => map.set('k', 2),
      () => map.update('k', () => 2),
      () => map.set('other', 2, { ttl: Infinity }),
    ];
    for (const look of looks) {
      await map.set('k', 1);
      // On a cluster changes may come later than the answer to who made them.
      await waitUntil('the entry', () => isEntry(changes.changes.at(-1)));
      const before = changes.changes.length;
      await engine.advance(6_000);
      await look();
      await map.delete('k');
      await waitUntil('a deletion', () => changes.changes.slice(before).some((change) => change.type === 'delete'));
      const ended = changes.changes.slice(before).find((change) => change.type === 'delete');
      assert.deepEqual([ended?.key, ended?.owner], ['k', undefined]);
    }
  });

  test('ended entries are told of in the order they ended, and each once', async (engine) => {
    const map = await openMap(engine);
    const changes = await new Changes().listen(map);
    await map.setMany(
      [
        ['c', 1],
        ['a', 1],
      ],
      { ttl: '7.5s' },
    );
    await map.set('b', 1, { ttl: '5.5s' });
    await map.set('stays', 1, { ttl: '50.5s' });
    await engine.advance(10_000);
    assert.equal(await map.count(), 1);
    assert.equal(await map.count(), 1);
    await map.set('last', 1);
    const heard = await changes.heard(8);
    assert.deepEqual(
      [...heard.slice(4, 5), ...heard.slice(5, 7).toSorted(), ...heard.slice(7)],
      ['delete b', 'delete a', 'delete c', 'set last 1'],
    );
  });

  test('a batch of any size is heard', async (engine) => {
    const map = await openMap<string>(engine);
    const changes = await new Changes<string>().listen(map);
    await map.setMany(Array.from({ length: 2_000 }, (_, n) => [`\u0001${n}`, 'x'.repeat(100)] as const));
    await changes.heard(2_000);
    await map.deleteMany(Array.from({ length: 2_000 }, (_, n) => `\u0001${n}`));
    await changes.heard(4_000);
    assert.equal(changes.resyncs, 0);
  });

  test('a value that is too large to be published is refused', async (engine) => {
    const map = await openMap<Buffer>(engine);
    const changes = await new Changes<Buffer>().listen(map);
    const bytes = (length: number): Buffer => randomBytes(length);
    await map.set('k', bytes(512 * 1024 - 1));
    await assert.rejects(map.set('k', bytes(512 * 1024)), { code: 'ValueTooLarge' });
    await assert.rejects(
      map.update('k', () => bytes(512 * 1024)),
      { code: 'ValueTooLarge' },
    );
    await changes.heard(1);
    assert.equal((await map.get('k'))?.length, 512 * 1024 - 1);
  });

  test('a listener that fails hears the next change, and one that was closed hears none', async (engine) => {
    const map = await openMap(engine);
    const heard: string[] = [];
    const failing = await map.subscribe((change) => {
      if (change.type === 'set') heard.push(change.key);
      throw new Error('no luck');
    });
    await map.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    await waitUntil('both', () => heard.length === 2);
    failing.close();
    const changes = await new Changes().listen(map);
    await map.set('c', 3);
    await changes.heard(1);
    assert.deepEqual(heard, ['a', 'b']);
  });

  test('options of a subscription are checked', async (engine) => {
    const map = await openMap(engine);
    await assert.rejects(
      map.subscribe(() => undefined, { onResyncs: () => undefined } as object),
      { code: 'InvalidArgument' },
    );
  });
}

function declareReplica(test: DeclareTest): void {
  test('S2.3: a replica reads like a dictionary, without waiting', async (engine) => {
    const map = await openMap(engine);
    await map.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    const replica = await (await openMap(engine)).replica();
    assert.equal(replica.get('a'), 1);
    assert.equal(replica.has('b'), true);
    assert.equal(replica.get('x'), undefined);
    assert.equal(replica.has('x'), false);
    assert.equal(replica.size, 2);
    assert.deepEqual([...replica.keys()].toSorted(), ['a', 'b']);
    assert.deepEqual(
      new Map(replica),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });

  test('a replica follows every write', async (engine) => {
    const map = await openMap(engine);
    const replica = await (await openMap(engine)).replica();
    await map.set('a', 1);
    await map.setMany([
      ['b', 2],
      ['c', 3],
    ]);
    await map.update('a', (value) => (value ?? 0) + 1);
    await map.delete('b');
    await shows(replica, { a: 2, c: 3 });
    await map.clear();
    await map.set('d', 4);
    await shows(replica, { d: 4 });
    const entry = await map.getEntry('d');
    assert.deepEqual(replica.getEntry('d'), entry);
  });

  test('a replica does not show an entry after its end, although nobody removed it', async (engine) => {
    const map = await openMap(engine);
    await map.set('before', 1, { ttl: '10.5s' });
    const replica = await (await openMap(engine)).replica();
    await map.set('after', 2, { ttl: '20.5s' });
    await map.set('endless', 3);
    await shows(replica, { before: 1, after: 2, endless: 3 });
    await engine.advance(9_000);
    assert.equal(replica.size, 3);
    await engine.advance(2_000);
    assert.equal(replica.get('before'), undefined);
    assert.equal(replica.has('before'), false);
    assert.deepEqual([...replica.keys()].toSorted(), ['after', 'endless']);
    await engine.advance(10_000);
    assert.deepEqual([...replica.entries()], [['endless', 3]]);
    assert.equal(replica.size, 1);
  });

  test('a touched entry is shown until its new end', async (engine) => {
    const map = await openMap(engine, { ttl: '10.5s' });
    await map.set('a', 1);
    await map.set('b', 2);
    const replica = await map.replica();
    await engine.advance(6_000);
    await map.touch('a', '10.5s');
    await map.touch('b', Infinity);
    await eventually(() => assert.equal(replica.getEntry('b')?.expiresAtMs, undefined));
    await engine.advance(6_000);
    assert.equal(replica.size, 2);
    await engine.advance(6_000);
    assert.deepEqual([...replica.keys()], ['b']);
  });

  test('a replica made amid writes is right when these are done', async (engine) => {
    const maps = await Promise.all([openMap(engine), openMap(engine), openMap(engine)]);
    await maps[0].setMany(Array.from({ length: 1_200 }, (_, n) => [`old ${n}`, n] as const));
    const writes = Promise.all(
      Array.from({ length: 600 }, async (_, n) => {
        const map = maps[n % 2 === 0 ? 0 : 1];
        if (n % 3 === 0) return map.delete(`old ${n}`);
        if (n === 301) return map.clear();
        return n % 3 === 1 ? map.set(`new ${n}`, n) : map.update(`old ${n % 50}`, (value) => (value ?? 0) + 1);
      }),
    );
    const replicas = await Promise.all([maps[2].replica(), maps[2].replica()]);
    await writes;
    const entries: Record<string, number> = {};
    let cursor: string | undefined;
    do {
      const page = await maps[0].page(cursor === undefined ? { limit: 1_000 } : { cursor, limit: 1_000 });
      for (const { key, value } of page.entries) entries[key] = value;
      ({ cursor } = page);
    } while (cursor !== undefined);
    for (const replica of replicas) await shows(replica, entries);
  });

  test('a closed replica stays as it is', async (engine) => {
    const map = await openMap(engine);
    await map.set('a', 1);
    const [closed, open] = [await map.replica(), await map.replica()];
    closed.close();
    closed.close();
    await map.set('a', 2);
    await shows(open, { a: 2 });
    assert.equal(closed.get('a'), 1);
  });

  test('a replica of a closed state is refused', async (engine) => {
    const state = await engine.open();
    const map = state.map<number>('m', { changes: true });
    await state.close();
    await assert.rejects(map.replica(), { code: 'Closed' });
  });
}

function shows(replica: MapReplica<number>, expected: Readonly<Record<string, number>>): Promise<void> {
  return eventually(() => assert.deepEqual(Object.fromEntries(replica), expected));
}

/** Whether `change` is that of an entry k whose value is 1. */
function isEntry(change: MapChange<number> | undefined): boolean {
  return change?.type === 'set' && change.key === 'k' && change.value === 1;
}
