import assert from 'node:assert/strict';
import type { EngineKind } from './engine.js';
import { describeSuite, type DeclareTest, type TestRunner } from './suite.js';
import { eventLoopTurn, waitUntil } from './waiting.js';

/** Going through entries, members and messages with `for await`. */
export function iterationConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'iteration', (test) => {
    declarePages(test);
    declareMessages(test);
  });
}

function declarePages(test: DeclareTest): void {
  test('map: every entry, key and value over all pages', async (engine) => {
    const map = (await engine.open()).map<number>('m');
    assert.deepEqual(await collected(map), []);
    const entries = Array.from({ length: 1_200 }, (_, n) => [`key ${n}`, n] as const);
    await map.setMany(entries);
    assert.deepEqual(new Map(await collected(map)), new Map(entries));
    assert.deepEqual(new Map(await collected(map.entries({ pageSize: 1_000 }))), new Map(entries));
    assert.deepEqual(new Set(await collected(map.keys())), new Set(entries.map(([key]) => key)));
    assert.deepEqual(new Set(await collected(map.values({ pageSize: 7 }))), new Set(entries.map(([, n]) => n)));
  });

  test('unique set: every member over all pages', async (engine) => {
    const set = (await engine.open()).uniqueSet('s');
    const members = Array.from({ length: 1_200 }, (_, n) => `member ${n}`);
    await set.add(members);
    assert.deepEqual(new Set(await collected(set)), new Set(members));
    assert.deepEqual(new Set(await collected(set.members({ pageSize: 9 }))), new Set(members));
  });

  test('stops at break, at an error, and with the reason of a signal', async (engine) => {
    const map = (await engine.open()).map<number>('m');
    await map.setMany(Array.from({ length: 300 }, (_, n) => [`key ${n}`, n] as const));
    const controller = new AbortController();
    const reason = new Error('enough');
    let seen = 0;
    const all = async (stop: () => void): Promise<void> => {
      for await (const _ of map.entries({ pageSize: 100, signal: controller.signal })) if (++seen % 5 === 0) stop();
    };
    await assert.rejects(
      all(() => {
        throw reason;
      }),
      reason,
    );
    assert.equal(seen, 5);
    await assert.rejects(
      all(() => controller.abort(reason)),
      reason,
    );
    assert.equal(seen, 10);
    await assert.rejects(collected(map.keys({ signal: controller.signal })), reason);
    for await (const _ of map) break;
  });

  test('refuses bad options, when the first item is asked for', async (engine) => {
    const state = await engine.open();
    for (const pageSize of [0, -1, 1.5, 1_001, Number.NaN]) {
      await assert.rejects(collected(state.map('m').entries({ pageSize })), { code: 'InvalidArgument' });
      await assert.rejects(collected(state.uniqueSet('s').members({ pageSize })), { code: 'InvalidArgument' });
    }
    await assert.rejects(collected(state.map('m').keys({ limit: 5 } as object)), { code: 'InvalidArgument' });
    await assert.rejects(collected(state.map('d', { prefix: '{d}' })), { code: 'InvalidArgument' });
  });
}

function declareMessages(test: DeclareTest): void {
  test('channel: messages as they are published, and before that what was missed', async (engine) => {
    const [one, other] = [(await engine.open()).channel<number>('c'), (await engine.open()).channel<number>('c')];
    const ids = [await one.publish(1), await one.publish(2)];
    const seen: number[] = [];
    for await (const { id, message } of other.messages({ after: ids[0] as string })) {
      if (seen.push(message) === 1) assert.equal(id, ids[1]);
      if (message === 4) break;
      await one.publish(message + 1);
    }
    assert.deepEqual(seen, [2, 3, 4]);
  });

  test('channel: one who is slower than the publishers misses nothing, and holds a bounded number', async (engine) => {
    const channel = (await engine.open()).channel<number>('c');
    const messages = channel.messages({ after: '0-0' });
    const seen: number[] = [];
    await channel.publish(0);
    seen.push((await messages.next()).value?.message ?? -1);
    await Promise.all(Array.from({ length: 250 }, (_, n) => channel.publish(n + 1)));
    await eventLoopTurn();
    while (seen.length <= 250) seen.push((await messages.next()).value?.message ?? -1);
    await messages.return();
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      Array.from({ length: 251 }, (_, n) => n),
    );
  });

  test('channel: what is no longer kept is told of before the next message', async (engine) => {
    const channel = (await engine.open()).channel<number>('c', { keepCount: 10 });
    const first = await channel.publish(0);
    for (let n = 1; n <= 30; n++) await channel.publish(n);
    const told: (number | string)[] = [];
    const onResync = (): void => void told.push('resync');
    for await (const { message } of channel.messages({ after: first, onResync })) {
      told.push(message);
      if (message === 30) break;
    }
    assert.equal(told[0], 'resync');
    assert.deepEqual(told.slice(-10), [21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
  });

  test('channel: ends with a signal and with the state, without an error, and listens no more', async (engine) => {
    const state = await engine.open();
    const channel = state.channel<number>('c');
    const controller = new AbortController();
    const aborted = collected(channel.messages({ signal: controller.signal }));
    const closed = collected(channel.messages());
    await eventLoopTurn();
    controller.abort();
    assert.deepEqual(await aborted, []);
    assert.deepEqual(await collected(channel.messages({ signal: controller.signal })), []);
    await state.close();
    assert.deepEqual(await closed, []);
    await assert.rejects(collected(channel.messages()), { code: 'Closed' });
  });

  test('channel: a subscription ends with its signal', async (engine) => {
    const channel = (await engine.open()).channel<number>('c');
    const controller = new AbortController();
    const seen: number[] = [];
    await channel.subscribe((message) => void seen.push(message), { signal: controller.signal });
    await channel.publish(1);
    await waitUntil('the message', () => seen.length === 1);
    controller.abort();
    await channel.publish(2);
    await eventLoopTurn();
    assert.deepEqual(seen, [1]);
    const { signal } = controller;
    await assert.rejects(
      channel.subscribe(() => undefined, { signal }),
      { name: 'AbortError' },
    );
  });
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
