import { expect, it, describe } from 'vitest';
import { countCommands } from '../../src/testing/command-count.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('commands of elections and ticks', () => {
  const server = useServer();
  const count = async (work: () => Promise<unknown>): Promise<string[]> =>
    (await countCommands(server(), work, { ignore: ['EVAL'] })).map((command) => command.replace(/ .*/, ''));

  async function withEngine(work: (engine: Engine) => Promise<void>): Promise<void> {
    const engine = await redisEngine(server()).start();
    try {
      await work(engine);
    } finally {
      await engine.close();
    }
  }

  it('an election, resigning and asking who leads are one each', () =>
    withEngine(async (engine) => {
      const leader = (await engine.open()).leader('l');
      expect(await count(() => leader.current())).toEqual(['EVALSHA']);
      const elected = await count(async () => {
        await using candidacy = leader.lead(() => undefined);
        void candidacy;
        await eventually(() => expect(leader.isLeader).toBe(true));
      });
      expect(elected).toEqual(['EVALSHA', 'EVALSHA']);
    }));

  it('a tick costs the process that does it seven, and the clock is read once a minute else', () =>
    withEngine(async (engine) => {
      const state = await engine.open();
      const nowMs = await (await engine.ports()).lock.now('any');
      await engine.advance(3_600_000 - (nowMs % 3_600_000) + 10_000);
      let done = 0;
      const begun = await count(async () => {
        state.every('x', '1h', () => void (done += 1));
        await pause(200);
      });
      expect(begun).toEqual(['EVALSHA', 'HGET']);
      const minute = await count(async () => {
        await engine.advance(60_000);
        await pause(1_500);
      });
      expect(minute).toEqual(['EVALSHA']);
      const tick = await count(async () => {
        await engine.advance(3_540_000);
        await eventually(() => expect(done).toBe(1));
        await pause(100);
      });
      // Its own look at the clock and the map; lock, read, write, release; the clock again. The engine's own EVAL is left out.
      expect(tick).toEqual(['EVALSHA', 'HGET', 'EVALSHA', 'EVALSHA', 'EVALSHA', 'EVALSHA', 'EVALSHA']);
    }));
});
