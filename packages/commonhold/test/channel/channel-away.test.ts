import { describe, expect, it } from 'vitest';
import { waitUntil } from '../../src/testing/waiting.js';
import { useOutages } from '../outage.js';

describe('a channel without Redis', { timeout: 60_000 }, () => {
  const start = useOutages();

  it('PS: tells the subscribers of this process, who hear that it is local, and loses nothing else', async () => {
    const site = await start();
    const [one, two] = [await site.open(), await site.open()];
    const heard: Record<'one' | 'two', unknown[]> = { one: [], two: [] };
    const channel = one.channel<string>('news');
    const subscription = await channel.subscribe((...call) => void heard.one.push(call));
    await two.channel<string>('news').subscribe((...call) => void heard.two.push(call));
    const first = await channel.publish('before');
    await waitUntil('the first message', () => heard.one.length + heard.two.length === 2);
    await site.leave();
    expect(await channel.publish('meanwhile')).toBe('local');
    await waitUntil('the local message', () => heard.one.length === 2);
    expect(heard.one[1]).toEqual(['meanwhile', first, true]);
    expect(subscription.lastId).toBe(first);
    await site.comeBack();
    const last = await channel.publish('after');
    await waitUntil('the last message', () => heard.one.length + heard.two.length === 5);
    expect(heard.one[2]).toEqual(['after', last]);
    expect(heard.two).toEqual([
      ['before', first],
      ['after', last],
    ]);
    expect((await channel.history()).messages.map(({ message }) => message)).toEqual(['before', 'after']);
  });

  it('brings local messages to an iteration, and rejects where it is to throw', async () => {
    const site = await start();
    const state = await site.open();
    const channel = state.channel<number>('news');
    const messages = channel.messages();
    const next = messages.next();
    await site.leave();
    await channel.publish(1);
    expect(await next).toMatchObject({ value: { message: 1, local: true } });
    await messages.return();
    await expect(channel.history()).rejects.toMatchObject({ code: 'Unavailable' });
    const strict = state.channel<number>('strict', { away: 'throw' });
    await expect(strict.publish(1)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
