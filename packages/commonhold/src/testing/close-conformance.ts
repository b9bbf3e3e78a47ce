import assert from 'node:assert/strict';
import type { CloseReport } from '../close-report.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type DeclareTest, type TestRunner } from './suite.js';
import { pause } from './waiting.js';

/** How a state closes, what it says of it, and whom it tells. */
export function closeConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'closing', (test) => {
    declareReport(test);
    declareEvents(test);
  });
}

const never = (): Promise<never> => new Promise(() => undefined);

function declareReport(test: DeclareTest): void {
  test('says that nothing was abandoned where nothing was', async (engine) => {
    const state = await engine.open();
    const queue = state.queue<number, number>('q');
    queue.work(({ data }) => data);
    await (await queue.add(1)).result();
    await (await state.lock('l').acquire())?.release();
    await state.lock('held').acquire();
    assert.deepEqual(await state.close({ timeoutMs: 10_000 }), { abandoned: [] });
    assert.deepEqual(await state.close({ timeoutMs: 1 }), { abandoned: [] });
    assert.equal((await (await engine.open()).lock('held').status()).held, false);
  });

  test('gives running jobs back in time, and names them', async (engine) => {
    const [state, other] = [await engine.open(), await engine.open()];
    const queue = state.queue<number, number>('q');
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    queue.work(async () => {
      started();
      return never();
    });
    const { id } = await queue.add(1);
    await running;
    const closing = state.close({ timeoutMs: 800 });
    await untilClosed(closing, engine);
    assert.deepEqual(await closing, { abandoned: [{ feature: 'queue', what: `job ${id} of queue q` }] });
    other.queue<number, number>('q').work(({ data }) => data + 1);
    assert.equal(await other.queue<number, number>('q').result(id), 2);
  });

  test('names the leases that nobody let go of', async (engine) => {
    const state = await engine.open();
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const work = (): Promise<never> => {
      begun();
      return never();
    };
    state
      .lock('pages')
      .run(work)
      .catch(() => undefined);
    await running;
    const closing = state.close({ timeoutMs: 800 });
    await untilClosed(closing, engine);
    assert.deepEqual(await closing, { abandoned: [{ feature: 'lease', what: 'Lock pages' }] });
    assert.throws(() => state.cache('c'), { code: 'Closed' });
  });

  test('refuses bad options, and is then not closed', async (engine) => {
    const state = await engine.open();
    for (const timeoutMs of [-1, 0.5, Number.NaN, Infinity, 2 ** 31]) {
      assert.throws(() => void state.close({ timeoutMs }), { code: 'InvalidArgument' });
    }
    assert.throws(() => void state.close({ timeout: 1 } as object), { code: 'InvalidArgument' });
    await state.cache('c').set('k', 1);
  });
}

function declareEvents(test: DeclareTest): void {
  test('tells those who listen, once, with the report; one that throws harms nobody', async (engine) => {
    const state = await engine.open();
    const told: unknown[] = [];
    const listener = (event: CloseReport): void => void told.push(event);
    state.on('closed', () => assert.fail('thrown'));
    state.on('closed', async () => assert.fail('rejected'));
    state.on('closed', listener);
    const leave = state.on('closed', listener);
    leave();
    leave();
    const view = state.with({ namespace: 'a' });
    view.on('closed', listener);
    await state.close();
    await state.close();
    assert.deepEqual(told, [{ abandoned: [] }, { abandoned: [] }]);
    assert.throws(() => state.on('closed', listener), { code: 'Closed' });
  });

  test('refuses an event that there is not, and what is no function', async (engine) => {
    const state = await engine.open();
    assert.throws(() => state.on('error' as 'closed', () => undefined), { code: 'InvalidArgument' });
    assert.throws(() => state.on('toString' as 'closed', () => undefined), { code: 'InvalidArgument' });
    assert.throws(() => state.on('closed', undefined as unknown as () => void), { code: 'InvalidArgument' });
  });
}

/** Lets time pass where it is moved by hand; where it is real, this does no harm. */
async function untilClosed(closing: Promise<unknown>, engine: Engine): Promise<void> {
  let closed = false;
  void closing.finally(() => (closed = true));
  while (!closed) {
    await pause(10);
    if (!closed) await engine.advance(50).catch(() => undefined);
  }
}
