import { describe, expect } from 'vitest';
import type { Engine } from '../../src/testing/engine.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { testsOnRedis, useServer } from '../engines.js';

const minuteMs = 60_000;
/** Longer than any process takes to see that a tick has come. */
const settleMs = 1_200;

describe('ticks whose process closes', () => {
  const server = useServer();
  // Time passes by itself here, since closing waits.
  const test = testsOnRedis(server);

  test('while work goes on that was told to stop, no other begins the tick, and the report names it', async (engine) => {
    await beginMinute(engine);
    const [state, other] = [await engine.open(), await engine.open()];
    let begun = 0;
    state.every('x', '1m', () => {
      begun += 1;
      return new Promise(() => undefined);
    });
    await pause(50);
    await engine.advance(minuteMs);
    await eventually(() => expect(begun).toBe(1));
    const report = await state.close({ timeoutMs: 1_000 });
    expect(report.abandoned).toEqual([{ feature: 'lease', what: 'Lock every:x' }]);
    expect((await other.lock('every:x').status()).held).toBe(true);
  });

  test('who found a tick taken comes to the next one, however long the lease', async (engine) => {
    await beginMinute(engine);
    const [state, other] = [await engine.open(), await engine.open()];
    const begun: string[] = [];
    let finish: () => void = () => undefined;
    const first = state.every(
      'x',
      '1m',
      () => {
        begun.push('first');
        return new Promise<void>((resolve) => (finish = resolve));
      },
      { lease: '1h' },
    );
    await pause(50);
    await engine.advance(minuteMs);
    await eventually(() => expect(begun).toEqual(['first']));
    await other.map('every:x').set('done', (await (await engine.ports()).lock.now('x')) - 5 * minuteMs);
    other.every('x', '1m', () => void begun.push('other'), { lease: '1h' });
    await pause(settleMs);
    finish();
    await eventually(async () => expect((await other.lock('every:x').status()).held).toBe(false));
    await first.close();
    await engine.advance(minuteMs);
    await eventually(() => expect(begun).toEqual(['first', 'other']));
  });
});

/** Moves on to just after a full minute: no tick comes by itself while a test looks. */
async function beginMinute(engine: Engine): Promise<void> {
  const nowMs = await (await engine.ports()).lock.now('any');
  await engine.advance(minuteMs - (nowMs % minuteMs) + 1_000);
}
