import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { Recorder } from '../../src/testing/channel-recorder.js';
import { RespConnection, type RespReply } from '../../src/testing/resp-connection.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('what a channel writes to Redis', () => {
  const server = useServer();

  it('is one stream and one pub/sub channel of the same name', async () => {
    await using state = await openState({ namespace: 'raw', redis: server().url });
    const id = await state.channel('a:b').publish({ n: 1 });
    const key = 'raw:channel:{a%3Ab}';
    expect(await server().command('KEYS', 'raw:channel:*')).toEqual([key]);
    expect(await server().command('XRANGE', key, '-', '+')).toEqual([[id, ['p', '0-0', 'b', '{"n":1}']]]);
    expect(await server().command('PTTL', key)).toBeGreaterThan(3_590_000);
  });

  it('has the ids of its own clock, which only grow', async () => {
    await using state = await openState({ namespace: 'raw', redis: server().url });
    const serverMs = async (): Promise<number> => {
      const [seconds, micros] = (await server().command('TIME')) as [string, string];
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    };
    const before = await serverMs();
    const [ms, sequence] = (await state.channel('clock').publish(1)).split('-').map(Number);
    expect(ms).toBeGreaterThanOrEqual(before);
    expect(ms).toBeLessThanOrEqual(await serverMs());
    expect(sequence).toBe(0);
    await server().command('XADD', 'raw:channel:{clock}', '9999999999999-7', 'p', '0-0', 'b', '1');
    expect(await state.channel('clock').publish(1)).toBe('9999999999999-8');
  });

  it('S4.13: bears the documented names, and plain JSON that any program reads', async () => {
    await using state = await openState({ namespace: 'raw', redis: server().url });
    const listener = await RespConnection.open(server().port);
    const published: RespReply[] = [];
    listener.onUnsolicited = (reply) => published.push(reply);
    await listener.send('SUBSCRIBE', 'ocr:notifications:user:42');
    const channel = state.channel<object>('42', { prefix: 'ocr:notifications:user', format: 'json' });
    const message = { type: 'task_completed', task_id: 't', user_id: '42', status: 'completed', timestamp: 5 };
    const first = await channel.publish(message);
    const second = await channel.publish({});
    await waitUntil('both', () => published.length === 2);
    const texts = published.map((reply) => (reply as string[])[2] ?? '');
    expect(texts.map((text): unknown => JSON.parse(text))).toEqual([
      { id: first, previous: '0-0', ...message },
      { id: second, previous: first },
    ]);
    expect(await server().command('XLEN', 'ocr:notifications:user:42')).toBe(2);
    await listener.close();
  });

  it('outlives what other programs publish and append beside it', async () => {
    const warnings: object[] = [];
    const log = { info: () => undefined, warn: (fields: object) => void warnings.push(fields), error: () => undefined };
    await using state = await openState({ namespace: 'raw', redis: server().url, log });
    const channel = state.channel<object>('shared', { prefix: 'other', format: 'json' });
    const recorder = await new Recorder<object>().listen(channel);
    await channel.publish({ n: 1 });
    await server().command('PUBLISH', 'other:shared', '{"foreign":true}');
    await server().command('XADD', 'other:shared', '*', 'foreign', 'true');
    await channel.publish({ n: 2 });
    await channel.publish({ n: 3 });
    expect(await recorder.heard(3)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(warnings).toHaveLength(1);
  });

  it('skips a message in a form it does not know, tells the listener, and says so in the history', async () => {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using state = await openState({ namespace: 'raw', redis: server().url, log });
    const channel = state.channel<number>('newer');
    const recorder = await new Recorder<number>().listen(channel);
    const first = await channel.publish(1);
    const newer = first.replace(/\d+$/, (sequence) => String(Number(sequence) + 1));
    const body = Buffer.from([0x1f, 1, 2]);
    await server().command('XADD', 'raw:channel:{newer}', newer, 'p', first, 'b', body);
    await server().command('PUBLISH', 'raw:channel:{newer}', Buffer.concat([Buffer.from(`${first} ${newer}\n`), body]));
    await channel.publish(2);
    expect(await recorder.heard(2)).toEqual([1, 2]);
    expect(recorder.resyncs).toBe(1);
    const history = await channel.history();
    expect([history.messages.map(({ message }) => message), history.complete]).toEqual([[1, 2], false]);
  });

  it('H.10: is refused over a key of another type, before anything is written', async () => {
    await using state = await openState({ namespace: 'raw', redis: server().url });
    await server().command('SET', 'raw:channel:{taken}', 'text');
    await expect(state.channel('taken').publish(1)).rejects.toMatchObject({ code: 'CorruptState' });
    await expect(state.channel('taken').history()).rejects.toMatchObject({ code: 'CorruptState' });
    expect(await server().command('GET', 'raw:channel:{taken}')).toBe('text');
    expect(await server().command('PTTL', 'raw:channel:{taken}')).toBe(-1);
  });
});
