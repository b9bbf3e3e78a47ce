import { describe, expect, it } from 'vitest';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useOutages } from '../outage.js';

describe('a presence without Redis for longer than a lease', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('is whole again, without those who left, and tells nothing of those who stayed', async () => {
    const site = await start();
    const [one, two] = [(await site.open()).presence('p'), (await site.open()).presence('p')];
    const leaving = await one.join({ id: 'left', region: 'r' });
    await one.join({ id: 'a', region: 'r' });
    await two.join({ id: 'b', region: 'r' });
    const heard: string[] = [];
    await two.subscribe('r', ({ type, member }) => void heard.push(`${type} ${member.id}`));
    await site.leave();
    await leaving.leave();
    await one.join({ id: 'new', region: 'r' });
    await pause(13_000);
    await site.comeBack();
    for (const presence of [one, two]) {
      const ids = async (): Promise<string[]> => (await presence.members('r')).map(({ id }) => id);
      await eventually(async () => expect(await ids()).toEqual(['a', 'b', 'new']), { timeoutMs: 8_000 });
    }
    await pause(1_000);
    expect(heard.toSorted()).toEqual(['joined new', 'left left']);
  });
});
