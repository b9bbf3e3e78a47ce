import { describe, expect, it } from 'vitest';
import { useOutages } from '../outage.js';

describe('a counter without Redis', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('CN: sums up adds, and adds each once when Redis is back', async () => {
    const site = await start();
    const [one, two] = [await site.open(), await site.open()];
    await one.counter('c').add(5);
    await site.leave();
    expect(await one.counter('c').add(2)).toBe(7);
    expect(await one.counter('c').add(1)).toBe(8);
    expect(await two.counter('c').add(10)).toBe(10);
    expect(await one.counter('c').get()).toBe(8);
    expect(one.status()).toMatchObject({ connected: false, journal: { entries: 1 } });
    expect([...one.awayCounts()]).toEqual([
      ['counter.add', 2],
      ['counter.get', 1],
    ]);
    await site.comeBack();
    expect(await one.counter('c').get()).toBe(18);
    expect(await two.counter('c').get()).toBe(18);
    expect(one.status()).not.toHaveProperty('journal');
  });

  it('CN: counts an operation once, whether it was sent before the outage, in it or after it', async () => {
    const site = await start();
    const state = await site.open();
    const counter = state.counter('c');
    expect(await counter.add(1, { operationId: 'before' })).toBe(1);
    await site.leave();
    expect(await counter.add(2, { operationId: 'in' })).toBe(3);
    expect(await counter.add(2, { operationId: 'in' })).toBe(3);
    await counter.add(1, { operationId: 'before' });
    await site.comeBack();
    await counter.add(2, { operationId: 'in' });
    expect(await counter.get()).toBe(3);
  });

  it('CN: tells of an operation that is refused on return, and adds all else, also of a view that was closed', async () => {
    const site = await start();
    const state = await site.open();
    const conflicts: unknown[] = [];
    state.on('conflict', (conflict) => void conflicts.push(conflict));
    const view = state.with({ namespace: 'tenant' });
    const counter = view.counter('c');
    await counter.add(1, { operationId: 'used' });
    await site.leave();
    await counter.add(5, { operationId: 'used' });
    await counter.add(100);
    await view.close();
    await expect(counter.add(1)).rejects.toMatchObject({ code: 'Closed' });
    await site.comeBack();
    expect(await state.with({ namespace: 'tenant' }).counter('c').get()).toBe(101);
    const why = expect.stringContaining('5 was not added') as string;
    expect(conflicts).toEqual([{ feature: 'counter', name: 'c', namespace: 'n:tenant', why }]);
  });

  it('rejects what cannot be known, and all where it is to throw', async () => {
    const site = await start();
    const state = await site.open();
    await site.leave();
    const unavailable = { code: 'Unavailable' };
    await expect(state.counter('unknown').get()).rejects.toMatchObject(unavailable);
    await state.counter('c').add(1);
    await expect(state.counter('c').reset()).rejects.toMatchObject(unavailable);
    await expect(state.counter('strict', { away: 'throw' }).add()).rejects.toMatchObject(unavailable);
    await expect(state.counter('c').add(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'Overloaded' });
    expect(() => state.counter('bad', { away: 'stale' as 'throw' })).toThrow("away: expected 'buffer' or 'throw'");
  });
});
