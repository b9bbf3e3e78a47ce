import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RedisConnection } from '../../../src/backend/redis/redis-connection.js';
import { type FaultProxy, startFaultProxy } from '../../../src/testing/fault-proxy.js';
import { seedFromEnvironment } from '../../../src/testing/random.js';
import { startRedisServer } from '../../../src/testing/redis-server.js';
import { pause, waitUntil } from '../../../src/testing/waiting.js';
import { useServer } from '../../engines.js';
import { connected, lost, mutating, outcome, reading, recordingLog, recovered, timed } from './connected.js';

const server = useServer();

/** What a listener heard. */
function ear(): { readonly heard: string[]; readonly listener: (message: string | Buffer) => void } {
  const heard: string[] = [];
  return { heard, listener: (message) => void heard.push(message.toString()) };
}

function publish(channel: string, message: string): Promise<unknown> {
  return server().command('PUBLISH', channel, message);
}

async function hears(channel: string, heard: readonly string[], message: string): Promise<void> {
  await publish(channel, message);
  await waitUntil(`${message} on ${channel}`, () => heard.includes(message));
}

async function subscribers(channel: string): Promise<number> {
  const [, count] = (await server().command('PUBSUB', 'NUMSUB', channel)) as [string, number];
  return count;
}

describe('RedisBus', () => {
  it('hears from the moment the promise resolves, bytes as they are, until it ends', async () => {
    await using connection = await connected(server().url);
    const messages: Buffer[] = [];
    const end = await connection.bus.subscribe('bytes', (message) => void messages.push(Buffer.from(message)));
    await server().command('PUBLISH', 'bytes', Buffer.from([0, 255, 13, 10]));
    await waitUntil('the message', () => messages.length === 1);
    expect(messages[0]).toEqual(Buffer.from([0, 255, 13, 10]));
    end();
    end();
    await waitUntil('the end', async () => (await subscribers('bytes')) === 0);
    await publish('bytes', 'late');
    await pause(20);
    expect(messages).toHaveLength(1);
  });

  it('serves several listeners of one channel with one subscription', async () => {
    await using connection = await connected(server().url);
    const [one, two] = [ear(), ear()];
    const ends = await Promise.all([
      connection.bus.subscribe('shared', one.listener),
      connection.bus.subscribe('shared', two.listener),
      connection.bus.subscribe('shared', two.listener),
    ]);
    await hears('shared', one.heard, 'a');
    expect(two.heard).toEqual(['a', 'a']);
    ends[0]();
    await hears('shared', two.heard, 'b');
    expect(one.heard).toEqual(['a']);
    expect(await subscribers('shared')).toBe(1);
  });

  it('keeps the connection and the other listeners when one throws', async () => {
    const log = recordingLog();
    await using connection = await connected(server().url, { log });
    const good = ear();
    await connection.bus.subscribe('throwing', () => {
      throw new Error('thrown by a listener');
    });
    await connection.bus.subscribe('throwing', good.listener);
    const calls = Array.from({ length: 20 }, () => outcome(connection.wire.command(mutating, ['INCR', 'thrown'])));
    await hears('throwing', good.heard, 'a');
    expect(new Set(await Promise.all(calls)).size).toBe(20);
    expect(connection.status().connected).toBe(true);
    expect(log.lines.join()).toContain('thrown by a listener');
  });

  it('does not call a listener that an earlier one ended', async () => {
    await using connection = await connected(server().url);
    const second = ear();
    let endSecond: () => void = () => undefined;
    const first = ear();
    await connection.bus.subscribe('ending', (message) => {
      first.listener(message);
      endSecond();
    });
    endSecond = await connection.bus.subscribe('ending', second.listener);
    await hears('ending', first.heard, 'a');
    expect(second.heard).toEqual([]);
  });

  it('settles within the deadline although the server stopped answering', async () => {
    await using own = await startRedisServer();
    await using connection = await connected(own.url);
    // Until nothing else is in flight.
    await pause(50);
    own.pause();
    const { fairMs } = await timed(connection.bus.subscribe('hung', () => undefined));
    own.resume();
    expect(fairMs).toBeLessThan(620);
  });
});

describe('after a break', () => {
  const breaks: Record<string, (proxy: FaultProxy, connection: RedisConnection) => Promise<void>> = {
    'by a reset': async (proxy) => proxy.reset(),
    'by a close': async (proxy) => proxy.halfClose(),
    'by a network that swallows everything': async (proxy, connection) => {
      proxy.blackhole();
      await lost(connection);
      await proxy.pass();
    },
    'by refused connections': async (proxy) => {
      proxy.refuse();
      await pause(200);
      await proxy.pass();
    },
    'by a killed server': () => server().restart(),
    'by the raw client, destroyed': async (_, connection) => connection.client.destroy(),
    'of the subscribing call itself': async (proxy, connection) => {
      proxy.blackhole();
      const end = await connection.bus.subscribe('lost on the way', () => undefined);
      end();
      await proxy.pass();
    },
  };

  for (const [name, breakIt] of Object.entries(breaks)) {
    it(`${name}, everything is heard again, also what was asked for meanwhile`, async () => {
      await using proxy = await startFaultProxy({ port: server().port });
      await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
      const [kept, added, dropped] = [ear(), ear(), ear()];
      let restored = 0;
      connection.bus.onRestored(() => void restored++);
      await connection.bus.subscribe('kept', kept.listener);
      const drop = await connection.bus.subscribe('dropped', dropped.listener);
      await hears('kept', kept.heard, 'before');
      await breakIt(proxy, connection);
      await lost(connection);
      await connection.bus.subscribe('added', added.listener);
      drop();
      await recovered(connection);
      await hears('kept', kept.heard, 'after');
      await hears('added', added.heard, 'after');
      expect(restored).toBe(1);
      // Kept and added; the server would go on sending what nobody listens to.
      const info = await connection.wire.command(reading, ['CLIENT', 'INFO']);
      expect(String(info)).toContain(' sub=2 ');
    });
  }

  it('a password is given before the channels are asked for', async () => {
    await using own = await startRedisServer();
    await own.command('CONFIG', 'SET', 'requirepass', 'secret');
    await using connection = await connected(`redis://:secret@127.0.0.1:${own.port}`);
    const { heard, listener } = ear();
    await connection.bus.subscribe('locked', listener);
    await own.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await lost(connection);
    await recovered(connection);
    await own.command('PUBLISH', 'locked', 'a');
    await waitUntil('the message', () => heard.length === 1);
  });

  it('a channel asked for while the new connection is being greeted is heard too', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    const ears = new Map<string, ReturnType<typeof ear>>();
    let greeting = false;
    // As each piece of the handshake and greeting passes, more channels are wanted.
    proxy.onRequest = () => {
      if (!greeting) return 'pass';
      const channel = `greeted-${ears.size}`;
      ears.set(channel, ear());
      void connection.bus.subscribe(channel, (ears.get(channel) as ReturnType<typeof ear>).listener);
      greeting = ears.size < 12;
      return 'pass';
    };
    for (let round = 0; round < 4; round++) {
      greeting = true;
      proxy.reset();
      await lost(connection);
      await recovered(connection);
    }
    greeting = false;
    for (const [channel, { heard }] of ears) await hears(channel, heard, 'x');
    expect(ears.size).toBeGreaterThan(3);
  });

  it('a listener that throws when the link is back keeps nobody from working', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    let told = 0;
    connection.bus.onRestored(() => {
      throw new Error('not my day');
    });
    const end = connection.bus.onRestored(() => void told++);
    proxy.reset();
    await lost(connection);
    await recovered(connection);
    expect(told).toBe(1);
    end();
    proxy.reset();
    await lost(connection);
    await recovered(connection);
    expect(told).toBe(1);
  });
});

describe('subscribing and ending one channel in any order, with breaks between', () => {
  type Step = 'subscribe' | 'end' | 'break' | 'turn';

  it('leaves the server with what is wanted', { timeout: 60_000 }, async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    let run = 0;
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<Step>('subscribe', 'end') },
      { weight: 3, arbitrary: fc.constant<Step>('turn') },
      { weight: 1, arbitrary: fc.constant<Step>('break') },
    );
    const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const channel = `race-${++run}`;
      const ends: Promise<() => void>[] = [];
      const { heard, listener } = ear();
      for (const next of steps) {
        if (next === 'subscribe') ends.push(connection.bus.subscribe(channel, listener));
        else if (next === 'end') await ends.pop()?.then((end) => end());
        else if (next === 'turn') await pause(1);
        else proxy.reset();
      }
      await Promise.all(ends);
      // A reset may be on its way.
      await pause(5);
      await recovered(connection);
      const wanted = ends.length === 0 ? 0 : 1;
      await waitUntil(`${wanted} subscribers`, async () => (await subscribers(channel)) === wanted);
      await publish(channel, 'x');
      if (wanted === 1) await waitUntil('all listeners', () => heard.length === ends.length);
      for (const end of ends) (await end)();
    });
    await fc.assert(property, { seed: seedFromEnvironment(), numRuns: 40, endOnFailure: true });
  });
});
