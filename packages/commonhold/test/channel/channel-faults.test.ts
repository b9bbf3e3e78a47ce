import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelOptions } from '../../src/channel/channel.js';
import { numbers, Recorder } from '../../src/testing/channel-recorder.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { type RedisServer, startRedisServer } from '../../src/testing/redis-server.js';
import { leakCheck } from '../../src/testing/leak-check.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { useServer } from '../engines.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const states: SharedState[] = [];

async function open(port: number): Promise<SharedState> {
  const state = await openState({ namespace: 'faults', redis: `redis://127.0.0.1:${port}`, log: silent });
  states.push(state);
  await waitUntil('the connection', () => state.status().connected);
  return state;
}

async function closeStates(): Promise<void> {
  await Promise.all(states.splice(0).map((state) => state.close()));
}

/** Publishes `count` numbers, one after the other, with a breath after every tenth so that faults fall between them. */
async function publishMany(port: number, count: number, options: ChannelOptions = {}): Promise<void> {
  const channel = (await open(port)).channel<number>('load', { keepCount: 10_000, ...options });
  for (const n of numbers(1, count)) {
    await channel.publish(n);
    if (n % 10 === 0) await pause(2);
  }
}

describe('a channel whose subscriber loses its link', () => {
  const server = useServer();
  let proxy: FaultProxy;

  beforeEach(async () => {
    await server().command('FLUSHALL');
    proxy = await startFaultProxy({ port: server().port });
  });

  afterEach(async () => {
    await closeStates();
    await proxy.stop();
  });

  async function listen(options: ChannelOptions = {}): Promise<Recorder<number>> {
    const channel = (await open(proxy.port)).channel<number>('load', { keepCount: 10_000, ...options });
    return new Recorder<number>().listen(channel);
  }

  async function everyFiftyMs(fault: () => unknown, work: Promise<void>): Promise<void> {
    let working = true;
    const done = work.finally(() => (working = false));
    while (working) {
      await pause(50);
      await fault();
    }
    await done;
  }

  it('H.9: misses nothing of 1,000 messages while its connection is reset again and again', async () => {
    const recorders = await Promise.all([listen(), listen(), listen()]);
    await everyFiftyMs(() => proxy.reset(), publishMany(server().port, 1_000));
    for (const recorder of recorders) expect(await recorder.heard(1_000)).toEqual(numbers(1, 1_000));
    expect(recorders.map(({ resyncs }) => resyncs)).toEqual([0, 0, 0]);
    expect(proxy.connections.total).toBeGreaterThan(5);
  });

  it('misses nothing while the server kills its connection', async () => {
    const recorder = await listen();
    const killSubscriber = async (): Promise<void> => {
      const clients = String(await server().command('CLIENT', 'LIST')).split('\n');
      // It hears two channels: its own, and that on which every process is woken.
      const address = clients.map((line) => / addr=(\S+) .* sub=2 /.exec(line)?.[1]).find(Boolean);
      if (address !== undefined) await server().command('CLIENT', 'KILL', 'ADDR', address);
    };
    await everyFiftyMs(killSubscriber, publishMany(server().port, 1_000));
    expect(await recorder.heard(1_000)).toEqual(numbers(1, 1_000));
    expect(recorder.resyncs).toBe(0);
    expect(proxy.connections.total).toBeGreaterThan(3);
  });

  it('H.9: notices within three seconds that nothing arrives any more, and misses nothing', async () => {
    const recorder = await listen();
    const channel = (await open(server().port)).channel<number>('load', { keepCount: 10_000 });
    await channel.publish(1);
    await recorder.heard(1);
    proxy.blackhole();
    for (const n of numbers(2, 100)) await channel.publish(n);
    const { total } = proxy.connections;
    await waitUntil('a new connection', () => proxy.connections.total > total, { timeoutMs: 3_000 });
    expect(recorder.messages).toEqual([1]);
    await proxy.pass();
    expect(await recorder.heard(100)).toEqual(numbers(1, 100));
    expect(recorder.resyncs).toBe(0);
  });

  it('H.9: is told when what it missed is gone', async () => {
    const recorder = await listen({ keepCount: 10 });
    const channel = (await open(server().port)).channel<number>('load', { keepCount: 10 });
    await channel.publish(1);
    await recorder.heard(1);
    proxy.refuse();
    for (const n of numbers(2, 50)) await channel.publish(n);
    await proxy.pass();
    expect(await recorder.heard(11)).toEqual([1, ...numbers(41, 50)]);
    expect(recorder.resyncs).toBe(1);
  });

  it('is not told of a break in which nothing was published, however often', async () => {
    const quiet = await listen();
    const recorder = await listen();
    const channel = (await open(server().port)).channel<number>('load', { keepCount: 10_000 });
    await channel.publish(1);
    await recorder.heard(1);
    for (const round of numbers(1, 3)) {
      const { total } = proxy.connections;
      proxy.reset();
      await waitUntil('new connections', () => proxy.connections.total === total + 2);
      await channel.publish(round + 1);
      await recorder.heard(round + 1);
    }
    expect([await quiet.heard(4), quiet.resyncs, recorder.resyncs]).toEqual([numbers(1, 4), 0, 0]);
  });

  it('leaves no timer, socket or subscription behind, closed while it waits to try again', async () => {
    await using leaks = leakCheck();
    const state = await open(proxy.port);
    await listen();
    await proxy.stop();
    await waitUntil('the loss to be noticed', () => !state.status().connected);
    await state.channel<number>('load').subscribe(() => undefined, { after: '0-0' });
    await closeStates();
    await leaks.assertNoLeak();
  });

  it('H.21: closes while its store is away, and stays closed', async () => {
    const recorder = await listen();
    proxy.refuse();
    await pause(50);
    recorder.subscription?.close();
    await proxy.pass();
    await publishMany(server().port, 1);
    await pause(200);
    expect(recorder.messages).toEqual([]);
  });

  it('brings a thousand subscriptions up to date after a break', async () => {
    const state = await open(proxy.port);
    let heard = 0;
    const channels = numbers(1, 1_000).map((n) => `many-${n}`);
    await Promise.all(channels.map((name) => state.channel(name).subscribe(() => void heard++)));
    proxy.refuse();
    const publisher = await open(server().port);
    await Promise.all(channels.map((name) => publisher.channel(name).publish(1)));
    await proxy.pass();
    await waitUntil(
      () => `1,000 messages, of which ${heard} came`,
      () => heard === 1_000,
    );
  });
});

describe('a channel whose server loses its data', () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await startRedisServer();
  });

  afterEach(async () => {
    await closeStates();
    await server.stop();
  });

  it('tells who listens, after FLUSHALL, and goes on', async () => {
    const channel = (await open(server.port)).channel<number>('load');
    const recorder = await new Recorder<number>().listen(channel);
    await channel.publish(1);
    await recorder.heard(1);
    await pause(5); // A first message of the same millisecond would have the same id.
    await server.command('FLUSHALL');
    await channel.publish(2);
    expect(await recorder.heard(2)).toEqual([1, 2]);
    expect(recorder.resyncs).toBe(1);
    const after = recorder.ids[0] ?? '';
    expect((await channel.history({ after })).complete).toBe(false);
  });

  it('H.8: tells who listens after a restart without data, before anything is published', async () => {
    const channel = (await open(server.port)).channel<number>('load');
    const recorder = await new Recorder<number>().listen(channel);
    await channel.publish(1);
    await recorder.heard(1);
    await server.restart();
    await waitUntil('the resync', () => recorder.resyncs === 1);
    await channel.publish(2);
    expect(await recorder.heard(2)).toEqual([1, 2]);
    expect(recorder.resyncs).toBe(1);
  });

  it('tells who listens when ids go back, live and after a break', async () => {
    const channel = (await open(server.port)).channel<number>('load');
    const key = 'faults:channel:{load}';
    const [live, broken] = [await new Recorder<number>().listen(channel), new Recorder<number>()];
    const proxy = await startFaultProxy({ port: server.port });
    await broken.listen((await open(proxy.port)).channel<number>('load'));
    // A message from a server whose clock was far ahead.
    const ahead = '9999999999999-7';
    await server.command('XADD', key, ahead, 'p', '0-0', 'b', '1');
    await server.command('PUBLISH', key, `0-0 ${ahead}\n1`);
    await Promise.all([live.heard(1), broken.heard(1)]);
    const late = await new Recorder<number>().listen(channel);
    proxy.refuse();
    await server.command('DEL', key);
    const id = await channel.publish(2);
    expect(Number.parseInt(id, 10)).toBeLessThan(Number.parseInt(ahead, 10));
    await proxy.pass();
    await channel.publish(3);
    expect(await live.heard(3)).toEqual([1, 2, 3]);
    expect(await broken.heard(3)).toEqual([1, 2, 3]);
    expect(await late.heard(2)).toEqual([2, 3]);
    expect([live.resyncs, broken.resyncs, late.resyncs]).toEqual([1, 1, 1]);
    await closeStates();
    await proxy.stop();
  });

  it('subscribes while the server is away, and works when it is back', async () => {
    const state = await open(server.port);
    const channel = state.channel<number>('load', { away: 'throw' });
    const after = await channel.publish(1);
    await channel.publish(2);
    await server.command('SAVE');
    await server.kill();
    await waitUntil('the loss to be noticed', () => !state.status().connected);
    const fresh = await new Recorder<number>().listen(channel);
    const returning = await new Recorder<number>().listen(channel, { after });
    expect(fresh.subscription?.lastId).toBe(undefined);
    await expect(channel.publish(3)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(channel.history()).rejects.toMatchObject({ code: 'Unavailable' });
    await server.restart();
    expect(await returning.heard(1)).toEqual([2]);
    await waitUntil('the resync', () => fresh.resyncs === 1);
    await channel.publish(4);
    expect([await fresh.heard(1), await returning.heard(2)]).toEqual([[4], [2, 4]]);
    expect([fresh.resyncs, returning.resyncs]).toEqual([1, 0]);
  });

  it('subscribes within two seconds to a server that hangs', async () => {
    const channel = (await open(server.port)).channel<number>('load', { away: 'throw' });
    server.pause();
    const startedAt = performance.now();
    const recorder = await new Recorder<number>().listen(channel);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    server.resume();
    await waitUntil('the server to be back', async () => (await channel.publish(1).catch(() => '')) !== '');
    expect((await recorder.heard(1))[0]).toBe(1);
  });
});
