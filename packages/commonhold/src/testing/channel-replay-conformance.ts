import assert from 'node:assert/strict';
import { numbers, openChannel, publishAll, Recorder } from './channel-recorder.js';
import type { EngineKind } from './engine.js';
import { type DeclareTest, describeSuite, type TestRunner } from './suite.js';
import { waitUntil } from './waiting.js';

/** Coming back: what was missed, what is still kept, and being told of what is not. */
export function channelReplayConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'channel replay', (test) => {
    replayTests(test);
    retentionTests(test);
  });
}

function replayTests(test: DeclareTest): void {
  for (const missed of [0, 1, 64, 65, 300]) {
    test(`after ${missed} missed messages they come first, then live ones`, async (engine) => {
      const channel = await openChannel(engine);
      const after = await channel.publish(0);
      await publishAll(channel, numbers(1, missed));
      const recorder = await new Recorder<number>().listen(await openChannel(engine), { after });
      await publishAll(channel, numbers(missed + 1, missed + 10));
      assert.deepEqual(await recorder.heard(missed + 10), numbers(1, missed + 10));
      assert.equal(recorder.resyncs, 0);
    });
  }

  test('no gap and no double while others publish', async (engine) => {
    const channel = await openChannel(engine);
    const publishing = (async () => {
      for (const n of numbers(1, 300)) await channel.publish(n);
    })();
    const recorders: Recorder<number>[] = [];
    for (const _ of numbers(1, 10)) {
      recorders.push(await new Recorder<number>().listen(await openChannel(engine), { after: '0-0' }));
    }
    await publishing;
    for (const recorder of recorders) assert.deepEqual(await recorder.heard(300), numbers(1, 300));
    assert.deepEqual(
      recorders.map(({ resyncs }) => resyncs),
      recorders.map(() => 0),
    );
  });

  test('a subscription is resumed elsewhere from its last id', async (engine) => {
    const channel = await openChannel(engine);
    const first = await new Recorder<number>().listen(channel);
    await publishAll(channel, [1, 2, 3]);
    await first.heard(3);
    await waitUntil('the listener to settle', () => first.subscription?.lastId === first.ids[2]);
    first.subscription?.close();
    await publishAll(channel, [4, 5]);
    const after = first.subscription?.lastId ?? '';
    const second = await new Recorder<number>().listen(await openChannel(engine), { after });
    assert.deepEqual(await second.heard(2), [4, 5]);
  });

  test('history pages from the oldest to the newest', async (engine) => {
    const channel = await openChannel(engine);
    const ids = await publishAll(channel, numbers(1, 250));
    const pages: number[][] = [];
    let after: string | undefined;
    do {
      const { messages, complete } = await channel.history(after === undefined ? {} : { after });
      assert.equal(complete, true);
      pages.push(messages.map(({ message }) => message));
      after = messages.at(-1)?.id;
    } while (after !== undefined);
    assert.deepEqual(
      pages.map(({ length }) => length),
      [100, 100, 50, 0],
    );
    assert.deepEqual(pages.flat(), numbers(1, 250));
    const one = await channel.history({ after: ids[9] ?? '', limit: 1 });
    assert.deepEqual(one, { messages: [{ id: ids[10], message: 11 }], complete: true });
  });

  test('an id that never was leaves the history incomplete', async (engine) => {
    const channel = await openChannel(engine);
    const id = await channel.publish(1);
    const { complete, messages } = await channel.history({ after: '5-5' });
    assert.deepEqual([complete, messages], [false, [{ id, message: 1 }]]);
    const later = await channel.history({ after: '99999999999999-0' });
    assert.deepEqual([later.complete, later.messages], [false, [{ id, message: 1 }]]);
  });
}

function retentionTests(test: DeclareTest): void {
  test('the newest by count are kept; who missed the rest is told once, and goes on', async (engine) => {
    const channel = await openChannel(engine, { keepCount: 5 });
    const after = await channel.publish(0);
    await publishAll(channel, numbers(1, 5));
    assert.equal((await channel.history({ after })).complete, true);
    await channel.publish(6);
    const { messages, complete } = await channel.history({ after });
    assert.deepEqual(
      messages.map(({ message }) => message),
      [2, 3, 4, 5, 6],
    );
    assert.equal(complete, false);
    assert.equal((await channel.history()).complete, false);
    const recorder = await new Recorder<number>().listen(channel, { after });
    await channel.publish(7);
    assert.deepEqual(await recorder.heard(6), [2, 3, 4, 5, 6, 7]);
    assert.equal(recorder.resyncs, 1);
  });

  test('one message kept is enough for those who listen', async (engine) => {
    const channel = await openChannel(engine, { keepCount: 1 });
    const recorder = await new Recorder<number>().listen(await openChannel(engine, { keepCount: 1 }));
    await publishAll(channel, numbers(1, 50));
    assert.deepEqual(await recorder.heard(50), numbers(1, 50));
    assert.equal(recorder.resyncs, 0);
  });

  test('a slow listener that was overtaken is told, and goes on with what exists', async (engine) => {
    const channel = await openChannel(engine, { keepCount: 10 });
    const recorder = new Recorder<number>();
    let go: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => (go = resolve));
    await channel.subscribe((n) => (recorder.messages.push(n) === 1 ? blocked : undefined), {
      onResync: () => void recorder.resyncs++,
    });
    // On a cluster messages may come later than the answer to who published them.
    const witness = await new Recorder<number>().listen(channel);
    for (let first = 1; first < 300; first += 50) {
      await publishAll(channel, numbers(first, first + 49));
      await witness.heard(first + 49);
    }
    go();
    await recorder.heard(11);
    assert.deepEqual(recorder.messages, [1, ...numbers(291, 300)]);
    assert.equal(recorder.resyncs, 1);
  });

  test('older ones go by age with the next message, and never the newest', async (engine) => {
    const channel = await openChannel(engine, { keep: '10s' });
    const first = await channel.publish(1);
    await engine.advance(9_000);
    await channel.publish(2);
    assert.equal((await channel.history({ after: first })).messages.length, 1);
    assert.equal((await channel.history()).messages.length, 2);
    await engine.advance(2_000);
    await channel.publish(3);
    const { messages } = await channel.history();
    assert.deepEqual(
      messages.map(({ message }) => message),
      [2, 3],
    );
    await engine.advance(9_000);
    assert.equal((await channel.history()).messages.length, 2);
    await engine.advance(2_000);
    assert.equal((await channel.history()).messages.length, 0);
  });

  test('thirty days are kept', async (engine) => {
    const channel = await openChannel(engine, { keep: '30d' });
    await channel.publish(1);
    await engine.advance(29 * 86_400_000);
    assert.equal((await channel.history()).messages.length, 1);
  });

  test('when all has expired, who was there hears on, and who comes back is told', async (engine) => {
    const options = { keep: '10s' } as const;
    const channel = await openChannel(engine, options);
    const there = await new Recorder<number>().listen(await openChannel(engine, options));
    const after = await channel.publish(1);
    await there.heard(1);
    await engine.advance(11_000);
    assert.deepEqual(await channel.history({ after }), { messages: [], complete: false });
    const back = await new Recorder<number>().listen(channel, { after });
    await waitUntil('the resync', () => back.resyncs === 1);
    await publishAll(channel, [2, 3]);
    assert.deepEqual(await there.heard(3), [1, 2, 3]);
    assert.deepEqual(await back.heard(2), [2, 3]);
    assert.deepEqual([there.resyncs, back.resyncs], [0, 1]);
    assert.equal((await channel.history({ after })).complete, false);
  });
}
