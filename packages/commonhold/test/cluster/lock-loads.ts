import type { LockMode } from '../../src/lock/lock-port.js';
import type { SharedState } from '../../src/shared-state.js';
import { pause } from '../../src/testing/waiting.js';
import { expectSame, type FeatureLoad, type KeyOf } from './load.js';

export function readWriteLockLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const locks = [one, other].map((state) => state.readWriteLock('load', { lease: '5s' }));
  const inside: Record<LockMode, number> = { read: 0, write: 0 };
  const hold = async (lock: (typeof locks)[number], mode: LockMode): Promise<void> =>
    lock[mode].run(
      async ({ signal }) => {
        inside[mode]++;
        const { read, write } = inside;
        await pause(1);
        inside[mode]--;
        // A holder whose lease could not be renewed is told so, and is none.
        if (!signal.aborted && write > 0) expectSame('holders beside a writer', 1, read + write);
      },
      { wait: '10s' },
    );
  return {
    name: 'read-write-lock',
    keys: [key('read-write-lock', 'load')],
    round: async () => {
      await Promise.all(locks.flatMap((lock) => [hold(lock, 'read'), hold(lock, 'write'), hold(lock, 'read')]));
    },
    lost: async () => [],
  };
}

export function leaderLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const leaders = [one, other].map((state) => state.leader('load', { lease: '5s' }));
  const tokens: number[] = [];
  for (const leader of leaders) leader.lead(({ guard }) => void tokens.push(Number(guard.token)));
  return {
    name: 'leader',
    keys: [key('lock', 'leader%3Aload')],
    round: async () => {
      await leaders[0]?.current();
      expectSame('leaders', true, leaders.filter(({ isLeader }) => isLeader).length <= 1);
      const grown = tokens.every((token, index) => index === 0 || token > (tokens[index - 1] ?? 0));
      expectSame('tokens of leaders grow', true, grown);
      await pause(20);
    },
    lost: async () => [],
  };
}

export function everyLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  let running = 0;
  let overlaps = 0;
  for (const state of [one, other]) {
    state.every('load', '1s', async ({ signal }) => {
      running++;
      const others = running - 1;
      await pause(5);
      running--;
      // Who was not heard of for its lease is told so, and is followed by another.
      if (!signal.aborted) overlaps += others;
    });
  }
  return {
    name: 'every',
    keys: [key('lock', 'every%3Aload'), key('map', 'every%3Aload')],
    round: async () => {
      expectSame('overlaps', 0, overlaps);
      await pause(50);
    },
    lost: async () => [],
  };
}
