import { describe, expect, it } from 'vitest';
import { useOutages } from '../outage.js';

describe('a limit without Redis', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('RL: admits what one process may by itself, says so, and asks Redis again when it is back', async () => {
    const site = await start();
    const state = await site.open();
    const limit = state.rateLimit('api', '3 per hour');
    await limit.consume('a');
    await site.leave();
    const verdicts = [];
    for (let hit = 0; hit < 4; hit++) verdicts.push(await limit.consume('a'));
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(verdicts.every(({ local }) => local)).toBe(true);
    expect((await limit.peek('a')).remaining).toBe(0);
    expect(await limit.refund('a', verdicts[0]!)).toBe(true);
    expect((await limit.consume('a')).allowed).toBe(true);
    await expect(limit.block('a', '1m')).rejects.toMatchObject({ code: 'Unavailable' });
    await site.comeBack();
    const after = await limit.consume('a');
    expect(after).toMatchObject({ allowed: true, remaining: 1 });
    expect(after).not.toHaveProperty('local');
  });

  it('admits all where it is open, and none where it is closed', async () => {
    const site = await start();
    const state = await site.open();
    const [open, closed] = [
      state.rateLimit('open', '1 per hour', { away: 'open' }),
      state.rateLimit('login', '1 per hour', { away: 'closed' }),
    ];
    await site.leave();
    for (let hit = 0; hit < 3; hit++) {
      expect(await open.consume('a')).toMatchObject({ allowed: true, remaining: 1, local: true });
    }
    await expect(closed.consume('a')).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(closed.peek('a')).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
