import { describe, expect, it } from 'vitest';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const minuteMs = 60_000;

describe('ticks whose process closes', () => {
  const server = useServer();
  // Time passes by itself here, since closing waits.
  const test = (name: string, work: (engine: Engine) => Promise<void>): void =>
    it(name, async () => {
      const engine = await redisEngine(server()).start();
      try {
        await work(engine);
      } finally {
        await engine.close();
      }
    });

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
});

/** Moves on to just after a full minute: no tick comes by itself while a test looks. */
async function beginMinute(engine: Engine): Promise<void> {
  const nowMs = await (await engine.ports()).lock.now('any');
  await engine.advance(minuteMs - (nowMs % minuteMs) + 1_000);
}
