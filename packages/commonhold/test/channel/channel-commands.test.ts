import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { numbers, publishAll, Recorder } from '../../src/testing/channel-recorder.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('channel commands', () => {
  const server = useServer();

  it('takes one command to publish, none to hear, one to read', async () => {
    await using state = await openState({ namespace: 'count', redis: server().url });
    const channel = state.channel<number>('c');
    const first = await channel.publish(0);
    const count = (work: () => Promise<unknown>): Promise<string[]> => countCommands(server(), work);
    const script = expect.stringMatching(/^EVALSHA /);
    expect(await count(() => channel.publish(1))).toEqual([script]);
    expect(await count(() => channel.history())).toEqual(['XRANGE']);
    expect(await count(() => channel.history({ after: first }))).toEqual(['XRANGE']);
    const recorder = new Recorder<number>();
    expect(await count(() => recorder.listen(channel))).toEqual(['SUBSCRIBE', 'XREVRANGE']);
    const hear = async (): Promise<void> => {
      await publishAll(channel, numbers(2, 11));
      await recorder.heard(10);
    };
    expect(await count(hear)).toEqual(Array.from({ length: 10 }, () => script));
    const again = new Recorder<number>();
    const resume = async (): Promise<void> => {
      await again.listen(channel, { after: first });
      await again.heard(11);
    };
    expect(await count(resume)).toEqual(['XRANGE']);
    recorder.subscription?.close();
    const leave = async (): Promise<void> => {
      again.subscription?.close();
      const subscribers = async (): Promise<unknown> => server().command('PUBSUB', 'NUMSUB', 'count:channel:{c}');
      await waitUntil('the end', async () => String(await subscribers()) === 'count:channel:{c},0');
    };
    expect(await count(leave)).toEqual(['UNSUBSCRIBE']);
  });
});
