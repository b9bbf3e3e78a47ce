import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SharedMap } from '../../src/map/map.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('commands of a map', () => {
  const server = useServer();

  async function commandsOf(work: (state: SharedState) => Promise<unknown>): Promise<string[]> {
    const state = await openState({ namespace: 'commands', redis: server().url });
    try {
      // The first run of a script sends its text as well.
      await work(state);
      await server().command('FLUSHDB');
      const names = await countCommands(server(), () => work(state));
      return names.map((name) => name.replace(/ .*/, ''));
    } finally {
      await state.close();
    }
  }

  const onMap = (work: (map: SharedMap<number>) => Promise<unknown>): Promise<string[]> =>
    commandsOf((state) => work(state.map('m')));
  const script = ['EVALSHA'];

  it('reads of entries without end are one plain command', async () => {
    expect(await onMap((map) => map.get('k'))).toEqual(['HGET']);
    expect(await onMap((map) => map.getEntry('k'))).toEqual(['HGET']);
    const keys = Array.from({ length: 1_001 }, (_, n) => `k${n}`);
    expect(await onMap((map) => map.getMany(keys.slice(1)))).toEqual(['HMGET']);
    expect(await onMap((map) => map.getMany(keys))).toEqual(['HMGET', 'HGET']);
  });

  it('reads of a map with a ttl are one script', async () => {
    const timed = (work: (map: SharedMap<number>) => Promise<unknown>): Promise<string[]> =>
      commandsOf((state) => work(state.map('m', { ttl: '1h' })));
    expect(await timed((map) => map.get('k'))).toEqual(script);
    expect(await timed((map) => map.getMany(['a', 'b']))).toEqual(script);
  });

  it('a map that turns out to hold entries with an end is read by script from then on', async () => {
    const commands = await onMap(async (map) => {
      await map.set('k', 1, { ttl: '1h' });
      await map.get('k');
      await map.get('k');
    });
    // In the run that is counted this was known.
    expect(commands).toEqual(['EVALSHA', 'EVALSHA', 'EVALSHA']);
    const fresh = await openState({ namespace: 'commands', redis: server().url });
    const names = await countCommands(server(), () => fresh.map('m').get('k'));
    expect(names.map((name) => name.replace(/ .*/, ''))).toEqual(['HGET', 'EVALSHA']);
    await fresh.close();
  });

  it('remembers that of the last 1,000 such maps', async () => {
    await server().command('FLUSHDB');
    const state = await openState({ namespace: 'commands', redis: server().url });
    const read = (n: number): Promise<unknown> => state.map(`m${n}`).get('k');
    const all = Array.from({ length: 1_001 }, (_, n) => n);
    await Promise.all(all.map((n) => state.map<number>(`m${n}`).set('k', 1, { ttl: '1h' })));
    for (const n of all) await read(n);
    expect(await countCommands(server(), () => read(1))).toHaveLength(1);
    expect(await countCommands(server(), () => read(0))).toHaveLength(2);
    await state.close();
  });

  it('a page holds about 1 MiB, so that a replica of large values can be read', async () => {
    await server().command('FLUSHDB');
    const state = await openState({ namespace: 'commands', redis: server().url });
    const map = state.map<Buffer>('large', { changes: true });
    const value = randomBytes(200 * 1024);
    for (let n = 0; n < 60; n++) await map.set(`k${n}`, value);
    const { entries } = await map.page({ limit: 1_000 });
    expect(entries.length).toBeGreaterThan(5);
    expect(entries.length).toBeLessThan(30);
    expect((await map.replica()).size).toBe(60);
    await state.close();
  });

  it('every other operation is one script', async () => {
    expect(await onMap((map) => map.has('k'))).toEqual(script);
    expect(await onMap((map) => map.set('k', 1))).toEqual(script);
    expect(
      await onMap((map) =>
        map.setMany([
          ['a', 1],
          ['b', 2],
        ]),
      ),
    ).toEqual(script);
    expect(await onMap((map) => map.add('k', 1))).toEqual(script);
    expect(await onMap((map) => map.delete('k'))).toEqual(script);
    expect(await onMap((map) => map.deleteMany(['a', 'b']))).toEqual(script);
    expect(await onMap((map) => map.touch('k', '1h'))).toEqual(script);
    expect(await onMap((map) => map.count())).toEqual(script);
    expect(await onMap((map) => map.clear())).toEqual(script);
    expect(await onMap((map) => map.page())).toEqual(script);
  });

  it('publishing takes no command of its own', async () => {
    const state = await openState({ namespace: 'commands', redis: server().url });
    const map = state.map<number>('published', { changes: true });
    await map.set('k', 0);
    expect(await countCommands(server(), () => map.set('k', 1))).toEqual([expect.stringMatching(/^EVALSHA /)]);
    await state.close();
  });

  it('an update reads and writes; further ones of the same key only write', async () => {
    const increment = (value: number | undefined): number => (value ?? 0) + 1;
    const state = await openState({ namespace: 'commands', redis: server().url });
    const map = state.map<number>('updated');
    await map.update('other', increment);
    const commands = await countCommands(server(), async () => {
      await map.update('k', increment);
      await Promise.all(Array.from({ length: 10 }, () => map.update('k', increment)));
      await map.update('k', increment);
    });
    expect(commands.map((name) => name.replace(/ .*/, ''))).toEqual([
      'HGET',
      ...Array.from({ length: 12 }, () => 'EVALSHA'),
    ]);
    await state.close();
  });

  it('an uncontended update after a write by another process takes one trip more', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => openState({ namespace: 'commands', redis: server().url })));
    const [here, there] = [one?.map<number>('met'), two?.map<number>('met')];
    await here?.update('k', () => 1);
    await there?.set('k', 5);
    const commands = await countCommands(server(), async () => here?.update('k', (value) => (value ?? 0) + 1));
    expect(commands).toHaveLength(2);
    expect(await there?.get('k')).toBe(6);
    await Promise.all([one?.close(), two?.close()]);
  });

  it('a replica takes a page for each 500 entries, and nothing for reads', async () => {
    const state = await openState({ namespace: 'commands', redis: server().url });
    const map = state.map<number>('copied', { changes: true });
    await map.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    (await map.replica()).close();
    await waitUntil(
      'the end of the first',
      async () => !String(await server().command('PUBSUB', 'CHANNELS')).includes('copied'),
    );
    const commands = await countCommands(server(), async () => {
      const replica = await map.replica();
      for (let n = 0; n < 100; n++) replica.get('a');
    });
    expect(commands.map((name) => name.replace(/ .*/, ''))).toEqual(['SUBSCRIBE', 'XREVRANGE', 'EVALSHA']);
    await state.close();
  });

  it('nothing is sent for no keys', async () => {
    const nothing = await onMap(async (map) => {
      await map.getMany([]);
      await map.setMany([]);
      await map.deleteMany([]);
    });
    expect(nothing).toEqual([]);
  });

  it('documented layout: plain commands, and a script where two things must be one', async () => {
    const plain = (work: (map: SharedMap<number>) => Promise<unknown>): Promise<string[]> =>
      commandsOf((state) => work(state.map('m', { prefix: 'documented' })));
    expect(await plain((map) => map.get('k'))).toEqual(['GET']);
    expect(await plain((map) => map.getEntry('k'))).toEqual(script);
    expect(await plain((map) => map.getMany(['a', 'b']))).toEqual(['MGET']);
    expect(await plain((map) => map.has('k'))).toEqual(['EXISTS']);
    expect(await plain((map) => map.set('k', 1))).toEqual(['SET']);
    expect(await plain((map) => map.add('k', 1))).toEqual(['SET']);
    expect(await plain((map) => map.delete('k'))).toEqual(['DEL']);
    expect(await plain((map) => map.touch('k', '1h'))).toEqual(['PEXPIRE']);
    expect(await plain((map) => map.touch('k', Infinity))).toEqual(script);
    let key = 0;
    const updated = await plain((map) => map.update(`k${key++}`, () => 1));
    expect(updated).toEqual(['GET', 'EVALSHA']);
  });
});
