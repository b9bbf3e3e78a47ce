import { describe, expect, it } from 'vitest';
import type { Presence } from '../../src/presence/presence.js';
import { eventually } from '../../src/testing/waiting.js';
import { useOutages } from '../outage.js';

const unavailable = { code: 'Unavailable' };

async function seen(presence: Presence, ...regions: string[]): Promise<string[]> {
  const lists = await Promise.all(regions.map((region) => presence.members(region)));
  return lists.flat().map(({ id, region, local }) => `${id} in ${region}${local === true ? ', local' : ''}`);
}

describe('a presence without Redis', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('PR: goes on with the members of this process, flagged, and brings them to Redis when it is back', async () => {
    const site = await start();
    const [one, two] = [(await site.open()).presence('p'), (await site.open()).presence('p')];
    const heard: string[] = [];
    await one.subscribe(undefined, ({ type, member }) => {
      heard.push(`${type} ${member.id}${member.local === true ? ', local' : ''}`);
    });
    const [moving, leaving] = [
      await one.join({ id: 'a', region: 'r', user: 'ada' }),
      await one.join({ id: 'b', region: 'r' }),
    ];
    await one.join({ id: 'c', region: 'r' });
    await two.join({ id: 'z', region: 'r' });
    await eventually(() => expect(heard).toHaveLength(4));
    await site.leave();
    expect(await seen(one, 'r')).toEqual(['a in r, local', 'b in r, local', 'c in r, local']);
    expect(await seen(two, 'r')).toEqual(['z in r, local']);
    expect(await moving.move({ region: 'q' })).toBe('q');
    await leaving.leave();
    const brief = await one.join({ id: 'e', region: 'r' });
    await brief.leave();
    await one.join({ id: 'd', region: 'r' });
    expect(await seen(one, 'r', 'q')).toEqual(['c in r, local', 'd in r, local', 'a in q, local']);
    expect(await one.count('r')).toBe(2);
    expect(await one.user('ada')).toMatchObject({ online: true, members: [{ id: 'a', region: 'q', local: true }] });
    const told = ['moved a', 'left b', 'joined e', 'left e', 'joined d'].map((text) => `${text}, local`);
    expect(heard.slice(4)).toEqual(told);
    await site.comeBack();
    // From the first moment on: also before a beat has brought them.
    expect((await one.get('d'))?.id).toBe('d');
    const all = ['c in r', 'd in r', 'z in r', 'a in q'];
    const same = async (): Promise<void> =>
      expect([await seen(one, 'r', 'q'), await seen(two, 'r', 'q')]).toEqual([all, all]);
    await eventually(same, { timeoutMs: 8_000 });
    expect(await two.count('r')).toBe(3);
    // Who only stayed is told of to nobody.
    await eventually(() => expect(heard.slice(9).toSorted()).toEqual(['joined d', 'left b', 'moved a']), {
      timeoutMs: 5_000,
    });
  });

  it('PR: rejects what it cannot know, and all where it is to throw', async () => {
    const site = await start();
    const state = await site.open();
    const presence = state.presence('p');
    const member = await presence.join({ id: 'a', region: 'r' });
    await site.leave();
    for (const asked of [presence.get('x'), presence.members('x'), presence.count('x'), presence.user('x')]) {
      await expect(asked).rejects.toMatchObject(unavailable);
    }
    await member.leave();
    await expect(presence.get('a')).rejects.toMatchObject(unavailable);
    const strict = state.presence('strict', { away: 'throw' });
    await expect(strict.join({ id: 'a' })).rejects.toMatchObject(unavailable);
    expect(() => state.presence('bad', { away: 'stale' as 'throw' })).toThrow("away: expected 'memory' or 'throw'");
  });

  it('PR: an id that two processes took meanwhile belongs to one of them', async () => {
    const site = await start();
    const [one, two] = [(await site.open()).presence('p'), (await site.open()).presence('p')];
    await site.leave();
    const both = [await one.join({ id: 'x', region: 'r' }), await two.join({ id: 'x', region: 'r' })];
    await site.comeBack();
    const settled = async (): Promise<void> => {
      expect([await seen(one, 'r'), await seen(two, 'r')]).toEqual([['x in r'], ['x in r']]);
    };
    await eventually(settled, { timeoutMs: 8_000 });
    const moves = await Promise.allSettled(both.map((membership) => membership.move({ region: 'q' })));
    expect(moves.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('PR: who left and joined again under its id meanwhile is there on return, and can move at once', async () => {
    const site = await start();
    const [one, two] = [(await site.open()).presence('p'), (await site.open()).presence('p')];
    const left = await one.join({ id: 'a', region: 'r' });
    const replaced = await one.join({ id: 'b', region: 'r' });
    await one.join({ id: 'c', region: 'r' });
    await site.leave();
    await left.leave();
    const again = [await one.join({ id: 'a', region: 'r' }), await one.join({ id: 'b', region: 'r' })];
    const last = await one.join({ id: 'c', region: 'r' });
    await last.leave();
    await expect(replaced.move({ region: 'q' })).rejects.toMatchObject({ code: 'Closed' });
    await site.comeBack();
    expect(await again[0]?.move({ region: 'q' })).toBe('q');
    const same = async (): Promise<void> => {
      const both = ['b in r', 'a in q'];
      expect([await seen(one, 'r', 'q'), await seen(two, 'r', 'q')]).toEqual([both, both]);
    };
    await eventually(same, { timeoutMs: 8_000 });
    expect(await again[1]?.move({ region: 'q' })).toBe('q');
    await left.leave();
    await replaced.leave();
    expect(await seen(two, 'q')).toEqual(['a in q', 'b in q']);
  });

  it('PR: is whole where Redis comes back without its data, with those who came, moved and left meanwhile', async () => {
    const site = await start();
    const [one, two] = [(await site.open()).presence('p'), (await site.open()).presence('p')];
    const [moving, leaving] = [await one.join({ id: 'a', region: 'r' }), await one.join({ id: 'b', region: 'r' })];
    await two.join({ id: 'z', region: 'r' });
    await site.server.command('FLUSHALL');
    await site.leave();
    await moving.move({ region: 'q' });
    await leaving.leave();
    await one.join({ id: 'c', region: 'r' });
    await site.comeBack();
    const same = async (): Promise<void> => {
      const all = ['c in r', 'z in r', 'a in q'];
      expect([await seen(one, 'r', 'q'), await seen(two, 'r', 'q')]).toEqual([all, all]);
    };
    await eventually(same, { timeoutMs: 8_000 });
  });

  it('PR: when Redis is full who joins is known here, beside those that Redis knows, and there when there is room', async () => {
    const site = await start();
    const [one, two] = [(await site.open()).presence('p'), (await site.open()).presence('p')];
    await two.join({ id: 'z', region: 'r' });
    await site.server.command('CONFIG', 'SET', 'maxmemory', '1');
    await one.join({ id: 'a', region: 'r' });
    expect(await seen(one, 'r')).toEqual(['a in r, local', 'z in r']);
    expect(await one.count('r')).toBe(2);
    expect((await one.get('a'))?.local).toBe(true);
    expect(await seen(two, 'r')).toEqual(['z in r']);
    await site.server.command('CONFIG', 'SET', 'maxmemory', '0');
    await eventually(async () => expect(await seen(two, 'r')).toEqual(['a in r', 'z in r']), { timeoutMs: 8_000 });
  });
});
