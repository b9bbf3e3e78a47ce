import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { createShiftedClock } from '../../src/testing/shifted-clock.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('commands of locks', () => {
  const server = useServer();

  async function commandsOf(work: (state: SharedState) => Promise<unknown>): Promise<string[]> {
    const state = await openState({ namespace: 'commands', redis: server().url });
    try {
      // The first run of a script sends its text as well.
      await work(state);
      await server().command('FLUSHDB');
      const names = await countCommands(server(), () => work(state));
      return names.map((name) => name.replace(/ .*/, ''));
    } finally {
      await state.close();
    }
  }

  it('acquire, release, status: one each', async () => {
    expect(await commandsOf((state) => state.lock('l').tryAcquire())).toEqual(['EVALSHA']);
    const refused = await commandsOf(async (state) => {
      await using held = await state.lock('l').tryAcquire();
      expect(held).toBeDefined();
      expect(await state.lock('l').tryAcquire()).toBeUndefined();
    });
    expect(refused).toEqual(['EVALSHA', 'EVALSHA', 'EVALSHA']);
    expect(await commandsOf((state) => state.lock('l').run(() => 1))).toEqual(['EVALSHA', 'EVALSHA']);
    expect(await commandsOf((state) => state.lock('l').status())).toEqual(['EVALSHA']);
  });

  it('one that waits: one to stand in the line, one when it is woken', async () => {
    const commands = await commandsOf(async (state) => {
      const lock = state.lock('l');
      const held = await lock.acquire();
      const waiting = lock.acquire();
      await pause(100);
      await held?.release();
      await (await waiting)?.release();
    });
    // acquire, stand, release, (woken) acquire, release
    expect(commands).toEqual(Array.from({ length: 5 }, () => 'EVALSHA'));
  });

  it('a release wakes one of those that wait, in whatever process', async () => {
    const states = await Promise.all([1, 2, 3].map(() => openState({ namespace: 'herd', redis: server().url })));
    const lock = (index: number): ReturnType<SharedState['lock']> => (states[index] as SharedState).lock('l');
    const held = await lock(0).acquire();
    const waiting = Array.from({ length: 30 }, (_, index) => lock(index % 3).acquire());
    await eventually(async () => expect((await lock(0).status()).waiting).toBe(30));
    const commands = await countCommands(server(), async () => {
      await held?.release();
      await Promise.race(waiting);
      await pause(50);
    });
    // The release and the one that was woken; a waiter whose second is over may look besides.
    expect(commands.length).toBeLessThan(12);
    await Promise.all(waiting.map(async (one) => (await one)?.release()));
    for (const state of states) await state.close();
  });

  it('leases of many locks are renewed by one timer, in one go, at a third of them', async () => {
    const clock = createShiftedClock();
    const armed: number[] = [];
    const counting = {
      ...clock,
      monotonic: () => clock.monotonic(),
      setTimer: (callback: () => void, delayMs: number) => {
        if (delayMs > 300) armed.push(delayMs);
        return clock.setTimer(callback, delayMs);
      },
    };
    const state = await openState({ namespace: 'renewals', redis: server().url, clock: counting });
    const held = await Promise.all(
      Array.from({ length: 50 }, (_, n) => state.lock(`l${n}`, { lease: '3s' }).tryAcquire()),
    );
    expect(armed.filter((delayMs) => delayMs > 900 && delayMs <= 1_000).length).toBeLessThan(5);
    const commands = await countCommands(server(), () => pause(1_400));
    expect(commands.filter((name) => name.startsWith('EVAL')).length).toBeGreaterThanOrEqual(50);
    expect(commands.filter((name) => name.startsWith('EVAL')).length).toBeLessThanOrEqual(110);
    for (const one of held) expect(await one?.release()).toBe(true);
    await state.close();
  });
});
