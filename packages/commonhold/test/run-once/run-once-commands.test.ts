import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('commands of run-once', () => {
  const server = useServer();

  async function commandsOf(work: (state: SharedState) => Promise<unknown>): Promise<number> {
    const state = await openState({ namespace: 'commands', redis: server().url });
    try {
      // The first run of a script sends its text as well.
      await work(state);
      await server().command('FLUSHDB');
      return (await countCommands(server(), () => work(state))).length;
    } finally {
      await state.close();
    }
  }

  it('one to claim, one to finish; one for a result that is there', async () => {
    expect(await commandsOf((state) => state.runOnce('r').run('k', () => 1))).toBe(2);
    const twice = await commandsOf(async (state) => {
      await state.runOnce('r').run('k', () => 1);
      await state.runOnce('r').run('k', () => 2);
    });
    expect(twice).toBe(3);
  });

  it('one that waits: one to stand in the line, one for the result', async () => {
    const commands = await commandsOf(async (state) => {
      const run = state.runOnce<number>('r');
      const work = async (): Promise<number> => {
        await pause(100);
        return 1;
      };
      await Promise.all([run.run('k', work), run.run('k', work)]);
    });
    expect(commands).toBe(4);
  });

  it('begin: one, whatever it is told; finish, abandon: one each', async () => {
    const commands = await commandsOf(async (state) => {
      const run = state.runOnce<number>('r');
      const first = await run.begin('begun', { fingerprint: 'a' });
      if (first.status === 'begun') await first.run.abandon();
      const second = await run.begin('begun', { fingerprint: 'a' });
      await run.begin('begun', { fingerprint: 'a' });
      await run.begin('begun', { fingerprint: 'b' });
      if (second.status === 'begun') await second.run.finish(1);
      await run.begin('begun', { fingerprint: 'a' });
    });
    expect(commands).toBe(7);
  });

  it('get, forget: one each', async () => {
    expect(await commandsOf((state) => state.runOnce('r').get('k'))).toBe(1);
    expect(await commandsOf((state) => state.runOnce('r').forget('k'))).toBe(1);
  });
});
