import { describe, expect, it } from 'vitest';
import type { MapOptions } from '../../src/map/map-options.js';
import type { SharedState } from '../../src/shared-state.js';
import type { StateConflict } from '../../src/state-events.js';
import { pause } from '../../src/testing/waiting.js';
import { useOutages } from '../outage.js';

const increment = (value: number | undefined): number => (value ?? 0) + 1;
const unavailable = { code: 'Unavailable' };

function conflictsOf(state: SharedState): StateConflict[] {
  const conflicts: StateConflict[] = [];
  state.on('conflict', (conflict) => void conflicts.push(conflict));
  return conflicts;
}

const layouts: [name: string, options: MapOptions][] = [
  ['a map', { changes: true }],
  ['a map in the documented layout', { prefix: 'documented:m' }],
];

describe.each(layouts)('%s without Redis', { timeout: 60_000 }, (_, options) => {
  const start = useOutages();
  const whole = options.prefix === undefined;

  it('MA: reads what was last read or written here, and says that it is stale', async () => {
    const site = await start();
    const [one, two] = [await site.open(), await site.open()];
    await two.map('m', options).set('read', { by: 'two' });
    const map = one.map<unknown>('m', options);
    await map.set('written', 1);
    expect(await map.get('read')).toEqual({ by: 'two' });
    expect(await map.has('absent')).toBe(false);
    expect(await map.getEntry('written')).not.toHaveProperty('stale');
    await site.leave();
    expect(await map.get('written')).toBe(1);
    expect(await map.get('absent')).toBeUndefined();
    expect(await map.has('read')).toBe(true);
    expect(await map.getMany(['read', 'absent', 'written'])).toEqual(
      new Map<string, unknown>([
        ['read', { by: 'two' }],
        ['written', 1],
      ]),
    );
    const entry = await map.getEntry('read');
    expect(entry).toMatchObject({ key: 'read', value: { by: 'two' }, stale: true });
    expect(entry?.owner).toBe(whole ? two.owner : undefined);
    await expect(map.get('unknown')).rejects.toMatchObject(unavailable);
    await expect(map.getMany(['read', 'unknown'])).rejects.toMatchObject(unavailable);
    await expect(map.has('unknown')).rejects.toMatchObject(unavailable);
  });

  it('MA: notes writes, reads them back, and brings each there when Redis is back', async () => {
    const site = await start();
    const [one, two] = [await site.open(), await site.open()];
    const map = one.map<number>('m', options);
    const conflicts = conflictsOf(one);
    for (const key of ['set', 'updated', 'deleted', 'touched']) await map.set(key, 1);
    await site.leave();
    await map.set('set', 2);
    expect(await map.update('updated', increment)).toBe(2);
    expect(await map.update('updated', increment)).toBe(3);
    expect(await map.delete('deleted')).toBe(true);
    expect(await map.delete('deleted')).toBe(false);
    expect(await map.touch('touched', '1h')).toBe(true);
    await map.set('new', 9);
    expect(await Promise.all(['set', 'updated', 'deleted', 'new'].map((key) => map.get(key)))).toEqual([
      2,
      3,
      undefined,
      9,
    ]);
    expect(await map.getEntry('set')).toMatchObject({ value: 2, version: undefined, stale: true });
    expect(one.status()).toMatchObject({ journal: { entries: 5 } });
    await site.comeBack();
    const there = two.map<number>('m', options);
    const keys = ['set', 'updated', 'deleted', 'touched', 'new'];
    expect(Object.fromEntries(await there.getMany(keys))).toEqual({ set: 2, updated: 3, touched: 1, new: 9 });
    expect((await there.getEntry('touched'))?.expiresAtMs).toBeGreaterThan(Date.now() + 3_000_000);
    expect((await there.getEntry('set'))?.owner).toBe(whole ? one.owner : undefined);
    expect(await map.update('updated', increment)).toBe(4);
    expect(await map.getEntry('updated')).not.toHaveProperty('stale');
    expect(conflicts).toEqual([]);
    expect(one.status()).not.toHaveProperty('journal');
  });

  it('MA: what two processes wrote meanwhile is of the first that comes back, and a conflict of the other', async () => {
    const site = await start();
    const states = [await site.open(), await site.open()] as const;
    const [one, two] = [states[0].map<number>('m', options), states[1].map<number>('m', options)];
    const conflicts = states.map(conflictsOf);
    await one.set('k', 1);
    await one.set('gone', 1);
    await Promise.all([two.get('k'), two.get('gone'), one.has('fresh'), two.has('fresh')]);
    await site.leave();
    await Promise.all([one.set('k', 11), two.update('k', (value) => (value ?? 0) + 20)]);
    await Promise.all([one.update('fresh', () => 31), two.set('fresh', 32)]);
    await Promise.all([one.delete('gone'), two.update('gone', increment)]);
    await site.comeBack();
    const told = conflicts.map((list) => Object.fromEntries(list.map(({ key, ours }) => [key, ours])));
    const there = Object.fromEntries(await one.getMany(['k', 'fresh', 'gone']));
    for (const [key, mine, other] of [
      ['k', 11, 21],
      ['fresh', 31, 32],
      ['gone', undefined, 2],
    ] as const) {
      const [won, lost] = there[key] === mine ? [mine, other] : [other, mine];
      expect(there[key]).toBe(won);
      const losers = told.filter((of) => key in of);
      expect(losers).toEqual([expect.objectContaining({ [key]: lost })]);
    }
    expect(conflicts.flat().every(({ feature, name }) => feature === 'map' && name === 'm')).toBe(true);
    expect(conflicts.flat()).toHaveLength(3);
    expect(await two.get('k')).toBe(there['k']);
  });

  it('MA: a value whose own end passes meanwhile is gone, and is not written', async () => {
    const site = await start();
    const state = await site.open();
    const map = state.map<number>('m', options);
    const conflicts = conflictsOf(state);
    await map.set('before', 1, { ttl: 1_000 });
    await map.set('replaced', 1);
    await site.leave();
    await map.set('short', 2, { ttl: 300 });
    await map.set('replaced', 2, { ttl: 300 });
    expect(await map.get('short')).toBe(2);
    await map.set('long', 2, { ttl: '1h' });
    await pause(1_100);
    expect(await map.get('before')).toBeUndefined();
    expect(await map.get('short')).toBeUndefined();
    await site.comeBack();
    expect(Object.fromEntries(await map.getMany(['before', 'short', 'replaced', 'long']))).toEqual({ long: 2 });
    expect((await map.getEntry('long'))?.expiresAtMs).toBeLessThan(Date.now() + 3_600_000 - 1_000);
    expect(conflicts).toEqual([]);
  });

  it('rejects what cannot be known, and writes where it is to be stale or to throw', async () => {
    const site = await start();
    const state = await site.open();
    const map = state.map<number>('m', options);
    const place = (name: string): MapOptions => (whole ? options : { prefix: `documented:${name}` });
    const stale = state.map<number>('stale', { ...place('stale'), away: 'stale' });
    const strict = state.map<number>('strict', { ...place('strict'), away: 'throw' });
    for (const one of [map, stale, strict]) await one.set('k', 1);
    await site.leave();
    const refused = [
      () => map.add('new', 1),
      () => map.delete('unknown'),
      () => map.touch('unknown', '1h'),
      () => map.update('unknown', increment),
      () => stale.set('k', 2),
      () => stale.update('k', increment),
      () => strict.get('k'),
      () => strict.set('k', 2),
    ];
    if (whole)
      refused.push(
        () => map.count(),
        () => map.clear(),
        () => map.deleteMany(['k', 'unknown']),
      );
    if (whole) refused.push(() => map.set('k', 2, { guard: { lock: 'l', token: '1' } }));
    for (const call of refused) await expect(call(), String(call)).rejects.toMatchObject(unavailable);
    expect(await stale.getEntry('k')).toMatchObject({ value: 1, stale: true });
    expect(await map.get('k')).toBe(1);
    expect(state.status()).not.toHaveProperty('journal');
    expect(() => state.map('bad', { away: 'memory' as 'throw' })).toThrow(
      "away: expected 'buffer' or 'stale' or 'throw'",
    );
    expect(() => state.map('bad', { staleFor: 0 })).toThrow('map bad, staleFor');
  });
});
