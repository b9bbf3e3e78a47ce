import { describe, expect } from 'vitest';
import type { Leadership } from '../../src/leader/leader.js';
import { ClosedError } from '../../src/errors.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { testsOnRedis, useServer } from '../engines.js';

const forever = (): Promise<never> => new Promise(() => undefined);

describe('candidacies that end, and that do not', () => {
  const server = useServer();
  // Time passes by itself here, since closing waits.
  const test = testsOnRedis(server);

  test('while work goes on that was told to stop, nobody else leads, and the report names it', async (engine) => {
    const [state, other] = [await engine.open(), await engine.open()];
    const leader = state.leader('l');
    leader.lead(forever);
    await eventually(() => expect(leader.isLeader).toBe(true));
    const next = other.leader('l');
    next.lead(() => undefined);
    await eventually(async () => expect((await other.lock('leader:l').status()).waiting).toBe(1));
    const report = await state.close({ timeoutMs: 1_000 });
    expect(report.abandoned).toEqual([{ feature: 'lease', what: 'Lock leader:l' }]);
    await pause(50);
    expect(next.isLeader).toBe(false);
  });

  test('work that throws Closed, of something else that was closed, is followed by another candidacy', async (engine) => {
    let led = 0;
    (await engine.open()).leader('l').lead(() => {
      led += 1;
      throw new ClosedError('Something else');
    });
    await eventually(() => expect(led).toBe(1));
    await engine.advance(1_000);
    await eventually(() => expect(led).toBeGreaterThan(1));
  });

  test('work that ends late does not hide that another candidacy of the same object leads', async (engine) => {
    const leader = (await engine.open()).leader('l', { lease: '1s' });
    const led: Leadership[] = [];
    const ends: (() => void)[] = [];
    const work = async (leadership: Leadership): Promise<void> => {
      led.push(leadership);
      await new Promise<void>((resolve) => ends.push(resolve));
    };
    leader.lead(work);
    await eventually(() => expect(led.length).toBe(1));
    leader.lead(work);
    await pause(50);
    const port = (await engine.ports()).lock;
    const { owner } = (await leader.current()) ?? { owner: '' };
    await port.release('leader:l', { owner, id: '1' });
    await eventually(() => expect(led.length).toBe(2));
    await eventually(() => expect(led[0]?.signal.aborted).toBe(true));
    ends[0]?.();
    await pause(50);
    expect([led[1]?.signal.aborted, leader.isLeader]).toEqual([false, true]);
    ends[1]?.();
  });
});
