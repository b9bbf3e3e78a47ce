import assert from 'node:assert/strict';
import type { ChannelOptions } from '../channel/channel.js';
import { numbers, openChannel, publishAll, Recorder } from './channel-recorder.js';
import { channelReplayConformance } from './channel-replay-conformance.js';
import type { EngineKind } from './engine.js';
import { type DeclareTest, describeSuite, type TestRunner } from './suite.js';
import { eventLoopTurn, waitUntil } from './waiting.js';

/** What every channel twin must do. */
export function channelConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'channel', (test) => {
    valueTests(test);
    deliveryTests(test);
    jsonTests(test);
    closingTests(test);
  });
  channelReplayConformance(runner, kind);
}

function valueTests(test: DeclareTest): void {
  test('a value comes back equal, live and from history, in another process', async (engine) => {
    const channel = await openChannel<unknown>(engine);
    const values = [
      { text: 'é\u0000"\n', list: [1, null, { deep: true }], at: new Date(5), ids: new Set([1n]) },
      ...[null, false, 0, '', '\n', Buffer.alloc(0), Buffer.from([0, 10, 13, 255]), [], {}, '1-1 2-2\n'],
      'abcdefgh'.repeat(100_000),
    ];
    const recorder = await new Recorder<unknown>().listen(await openChannel(engine));
    for (const value of values) await channel.publish(value);
    assert.deepEqual(await recorder.heard(values.length), values);
    const { messages } = await (await openChannel<unknown>(engine)).history();
    assert.deepEqual(
      messages.map(({ message }) => message),
      values,
    );
  });

  test('undefined and what is too large are refused, and nothing is published', async (engine) => {
    const channel = await openChannel<unknown>(engine);
    await assert.rejects(channel.publish(undefined), { code: 'InvalidArgument' });
    await assert.rejects(channel.publish('x'.repeat(2 ** 20 + 1)), { code: 'ValueTooLarge' });
    assert.deepEqual(await channel.history(), { messages: [], complete: true });
  });

  test('each listener has its own copy', async (engine) => {
    const channel = await openChannel<{ n: number } | Buffer>(engine);
    const seen: unknown[] = [];
    const spoil = (message: { n: number } | Buffer): void => {
      seen.push(Buffer.isBuffer(message) ? message[0] : message.n);
      if (Buffer.isBuffer(message)) message[0] = 9;
      else message.n = 9;
    };
    await channel.subscribe(spoil);
    await channel.subscribe(spoil);
    await publishAll(channel, [{ n: 1 }, Buffer.from([1])]);
    await waitUntil('four calls', () => seen.length === 4);
    await channel.subscribe(spoil, { after: '0-0' });
    await waitUntil('six calls', () => seen.length === 6);
    assert.deepEqual(seen, [1, 1, 1, 1, 1, 1]);
  });

  test('channels, namespaces and names with structure stay apart', async (engine) => {
    const state = await engine.open();
    const names = ['a', 'a:b', 'a}', '{a', '*', 'a*', '?', '[a]', '%3A', ':', ' ', 'ä', '\n', '-', 'x'.repeat(600)];
    const recorders = await Promise.all(names.map((name) => new Recorder<string>().listen(state.channel(name))));
    const other = await engine.open({ namespace: `${state.namespace}x` });
    await other.channel('a').publish('not ours');
    for (const name of names) await state.channel<string>(name).publish(name);
    for (const [index, name] of names.entries()) assert.deepEqual(await recorders[index]?.heard(1), [name]);
  });

  test('bad names, options and arguments are refused', async (engine) => {
    const state = await engine.open();
    const invalid = { code: 'InvalidArgument' };
    assert.throws(() => state.channel(''), invalid);
    assert.throws(() => state.channel('\ud800'), invalid);
    for (const keep of [0, -1, Number.NaN, Infinity, '73000d'] as const) {
      assert.throws(() => state.channel('c', { keep }), invalid);
    }
    for (const keepCount of [0, -1, 1.5, 1_000_001]) assert.throws(() => state.channel('c', { keepCount }), invalid);
    assert.throws(() => state.channel('c', { prefix: 'white space' }), invalid);
    assert.throws(() => state.channel('c', { format: 'xml' as 'json' }), invalid);
    const channel = state.channel('c', { keep: 0.5, keepCount: 1 });
    for (const after of ['', '1', '1-', '1-1-1', '-1-1', '+', `${'9'.repeat(16)}-0`]) {
      await assert.rejects(channel.history({ after }), invalid);
      await assert.rejects(
        channel.subscribe(() => undefined, { after }),
        invalid,
      );
    }
    for (const limit of [0, -1, 1.5, 1_001]) await assert.rejects(channel.history({ limit }), invalid);
  });
}

function deliveryTests(test: DeclareTest): void {
  test('every subscriber hears every message once, with the id that publish returned', async (engine) => {
    const recorders = await Promise.all(
      [1, 2, 3].map(async () => new Recorder<number>().listen(await openChannel(engine))),
    );
    const channel = await openChannel(engine);
    const ids = await publishAll(channel, numbers(1, 50));
    for (const recorder of recorders) {
      assert.deepEqual(await recorder.heard(50), numbers(1, 50));
      assert.deepEqual(recorder.ids, ids);
    }
  });

  test('what was published before is not delivered to one who did not ask for it', async (engine) => {
    const channel = await openChannel(engine);
    const id = await channel.publish(1);
    const recorder = await new Recorder<number>().listen(channel);
    assert.equal(recorder.subscription?.lastId, id);
    await channel.publish(2);
    assert.deepEqual(await recorder.heard(1), [2]);
  });

  test('several states publish at once, and all hear one order', async (engine) => {
    const channels = await Promise.all([1, 2, 3, 4].map(() => openChannel<string>(engine)));
    const recorders = await Promise.all(channels.map((channel) => new Recorder<string>().listen(channel)));
    await Promise.all(
      channels.map(async (channel, index) => {
        for (const n of numbers(1, 100)) await channel.publish(`${index}:${n}`);
      }),
    );
    const [first, ...others] = recorders;
    assert.equal(new Set(await first?.heard(400)).size, 400);
    for (const other of others) assert.deepEqual(await other.heard(400), first?.messages);
    const { messages } = (await channels[0]?.history({ limit: 1_000 })) ?? {};
    assert.deepEqual(
      messages?.map(({ id }) => id),
      first?.ids,
    );
  });

  test('one call at a time, and a slow listener gets all in order though its buffer is small', async (engine) => {
    const channel = await openChannel(engine);
    const heard: number[] = [];
    let running = 0;
    let go: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => (go = resolve));
    await channel.subscribe(async (n) => {
      running++;
      assert.equal(running, 1);
      await (heard.length === 0 ? blocked : eventLoopTurn());
      heard.push(n);
      running--;
    });
    await publishAll(channel, numbers(1, 400));
    go();
    await waitUntil('a part of them', () => heard.length > 70);
    await publishAll(channel, numbers(401, 500));
    await waitUntil('all of them', () => heard.length >= 500);
    assert.deepEqual(heard, numbers(1, 500));
  });

  test('nothing is lost when the last message is the one too many for the buffer', async (engine) => {
    const channel = await openChannel(engine);
    for (const count of numbers(100, 103)) {
      const heard: number[] = [];
      let go: () => void = () => undefined;
      const blocked = new Promise<void>((resolve) => (go = resolve));
      const subscription = await channel.subscribe((n) => (heard.push(n) === 1 ? blocked : undefined));
      const witness = await new Recorder<number>().listen(channel);
      await publishAll(channel, numbers(1, count));
      await witness.heard(count);
      go();
      await waitUntil(`all ${count}`, () => heard.length === count);
      assert.deepEqual(heard, numbers(1, count));
      subscription.close();
    }
  });

  test('a listener that throws or rejects is logged and hears the next; its neighbour hears all', async (engine) => {
    const failures: object[] = [];
    const log = { info: () => undefined, warn: () => undefined, error: (fields: object) => void failures.push(fields) };
    const channel = (await engine.open({ log })).channel<number>('c');
    const calls: number[] = [];
    await channel.subscribe((n) => {
      calls.push(n);
      if (n === 1) throw new Error('thrown');
      return n === 2 ? Promise.reject(new Error('rejected')) : undefined;
    });
    const neighbour = await new Recorder<number>().listen(channel);
    await publishAll(channel, [1, 2, 3]);
    await waitUntil('three calls', () => calls.length === 3);
    assert.deepEqual(await neighbour.heard(3), [1, 2, 3]);
    assert.equal(failures.length, 2);
  });

  test('a listener may publish to its own channel', async (engine) => {
    const channel = await openChannel(engine);
    const heard: number[] = [];
    await channel.subscribe(async (n) => {
      heard.push(n);
      if (n < 5) await channel.publish(n + 1);
    });
    await channel.publish(1);
    await waitUntil('five messages', () => heard.length === 5);
    assert.deepEqual(heard, [1, 2, 3, 4, 5]);
  });
}

function jsonTests(test: DeclareTest): void {
  const options: ChannelOptions = { format: 'json' };

  test('in format json plain objects come back as they were, without what is published beside them', async (engine) => {
    const channel = await openChannel<object>(engine, options);
    const messages = [{}, { a: 1 }, { text: '}{",é\n', deep: [{ id: 1 }] }, { large: 'abcdefgh'.repeat(10_000) }];
    const recorder = await new Recorder<object>().listen(await openChannel(engine, options));
    const ids = await publishAll(channel, messages);
    assert.deepEqual(await recorder.heard(messages.length), messages);
    const history = await channel.history();
    assert.deepEqual(
      history.messages,
      messages.map((message, index) => ({ id: ids[index], message })),
    );
  });

  test('in format json anything else is refused, and so is an id of its own', async (engine) => {
    const channel = await openChannel<unknown>(engine, options);
    const refused = [
      1,
      'text',
      null,
      [],
      Buffer.from('{}'),
      new Date(),
      new Map(),
      { at: new Date() },
      { n: Number.NaN },
    ];
    for (const message of [...refused, { id: 1 }, { previous: 1 }, { large: new Set(['x'.repeat(5_000)]) }]) {
      await assert.rejects(channel.publish(message), { code: 'InvalidArgument' });
    }
    await assert.rejects(channel.publish({ large: 'x'.repeat(2 ** 20) }), { code: 'ValueTooLarge' });
    assert.equal((await channel.history()).messages.length, 0);
  });
}

function closingTests(test: DeclareTest): void {
  test('nothing is heard after close, which may come twice and from the listener itself', async (engine) => {
    const channel = await openChannel(engine);
    const heard: number[] = [];
    const subscription = await channel.subscribe((n) => {
      heard.push(n);
      subscription.close();
    });
    const witness = await new Recorder<number>().listen(channel);
    await publishAll(channel, [1, 2, 3]);
    await witness.heard(3);
    subscription.close();
    assert.deepEqual(heard, [1]);
  });

  test('a call under way at close runs to its end, and counts as seen', async (engine) => {
    const channel = await openChannel(engine);
    let finish: () => void = () => undefined;
    let calls = 0;
    const subscription = await channel.subscribe(() => {
      calls++;
      return new Promise((resolve) => (finish = resolve));
    });
    const [first] = await publishAll(channel, [1, 2]);
    await waitUntil('the first call', () => calls === 1);
    subscription.close();
    assert.notEqual(subscription.lastId, first);
    finish();
    await waitUntil('its end', () => subscription.lastId === first);
    assert.equal(calls, 1);
  });

  test('closing the state ends its subscriptions and refuses new ones', async (engine) => {
    const state = await engine.open();
    const channel = state.channel<number>('c');
    const recorder = await new Recorder<number>().listen(channel);
    const witness = await new Recorder<number>().listen(await openChannel(engine));
    await state.close();
    await (await openChannel(engine)).publish(1);
    await witness.heard(1);
    assert.deepEqual(recorder.messages, []);
    await assert.rejects(
      channel.subscribe(() => undefined),
      { code: 'Closed' },
    );
    await assert.rejects(channel.publish(1), { code: 'Closed' });
  });
}
