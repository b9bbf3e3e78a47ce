import { describe, expect, it } from 'vitest';
import { useOutages } from '../outage.js';

describe('a unique set without Redis', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('US: gathers members, and unites them with those there when Redis is back', async () => {
    const site = await start();
    const [one, two] = [(await site.open()).uniqueSet('s'), (await site.open()).uniqueSet('s')];
    await one.add(['a', 'b']);
    expect(await one.count()).toBe(2);
    await site.leave();
    expect(await one.add(['b', 'c', 'c'])).toBe(1);
    expect(await two.add(['a', 'd'])).toBe(2);
    expect(await one.hasMany(['a', 'b', 'c'])).toEqual([true, true, true]);
    expect(await one.count()).toBe(3);
    await site.comeBack();
    const members = [];
    for await (const member of one) members.push(member);
    expect(members.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('rejects what cannot be known, what takes away, and all where it is to throw', async () => {
    const site = await start();
    const state = await site.open();
    const set = state.uniqueSet('s');
    await set.add('a');
    await site.leave();
    const unavailable = { code: 'Unavailable' };
    await expect(set.has('x')).rejects.toMatchObject(unavailable);
    await expect(set.hasMany(['a', 'x'])).rejects.toMatchObject(unavailable);
    await expect(set.page()).rejects.toMatchObject(unavailable);
    await expect(set.delete('a')).rejects.toMatchObject(unavailable);
    await expect(set.clear()).rejects.toMatchObject(unavailable);
    await expect(state.uniqueSet('t').count()).rejects.toMatchObject(unavailable);
    await expect(state.uniqueSet('strict', { away: 'throw' }).add('a')).rejects.toMatchObject(unavailable);
  });
});
