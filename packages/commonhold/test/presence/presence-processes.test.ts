import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';
import { type MemberProcess, type Sight, useMemberProcesses } from './member-processes.js';

const goneWithinMs = 15_000;

describe('a presence over real processes', { timeout: 60_000 }, () => {
  const server = useServer();
  const processes = useMemberProcesses();
  const start = (namespace: string, name: string, count = 5): Promise<MemberProcess> =>
    processes.start(server().url, namespace, name, count);

  /** How long after now every one of `watchers` sees `count` members, in every way there is to see them. */
  async function seenAfterMs(watchers: readonly MemberProcess[], count: number): Promise<number> {
    const startedAtMs = performance.now();
    await eventually(
      async () => {
        for (const sight of await Promise.all(watchers.map((watcher) => watcher.look()))) {
          expect([sight.count, sight.ids.length, sight.user]).toEqual([count, count, count]);
        }
      },
      { timeoutMs: 20_000, everyMs: 50 },
    );
    return performance.now() - startedAtMs;
  }

  const left = ({ heard }: Sight): string[] => heard.filter((event) => event.startsWith('left')).toSorted();

  it.concurrent('one killed with -9 is gone in every other within 15 s, told of once, and taken over by one', async () => {
    const dying = await start('kill', 'dying', 120);
    const others = [await start('kill', 'b'), await start('kill', 'c')];
    expect((await others[0]?.look())?.count).toBe(130);
    dying.child.kill('SIGKILL');
    const afterMs = await seenAfterMs(others, 10);
    expect(afterMs).toBeLessThan(goneWithinMs);
    // Its lease is a promise to it, too: nobody may be taken for dead before.
    expect(afterMs).toBeGreaterThan(6_000);
    const expected = Array.from({ length: 120 }, (_, index) => `left dying-${index}`).toSorted();
    await eventually(
      async () => {
        for (const other of others) {
          const sight = await other.look();
          expect(left(sight)).toEqual(expected);
          expect(sight.orphans).toEqual(['work:dying']);
          expect(sight.owners.toSorted()).toEqual(['b', 'c']);
        }
      },
      { timeoutMs: goneWithinMs - afterMs, everyMs: 50 },
    );
    const taken = await Promise.all(others.map((other) => other.takeOver('work:dying')));
    expect(taken.filter(Boolean)).toHaveLength(1);
    await pause(6_000);
    for (const other of others) {
      const sight = await other.look();
      expect(left(sight)).toEqual(expected);
      expect(sight.heard.filter((event) => event === 'gone dying')).toHaveLength(1);
      expect([sight.resyncs, sight.count, sight.orphans]).toEqual([0, 10, []]);
    }
  });

  it.concurrent('one that is asked to end is gone at once', async () => {
    const [ending, other] = [await start('term', 'a'), await start('term', 'b')];
    ending.child.kill('SIGTERM');
    await once(ending.child, 'exit');
    const sight = await other.look();
    expect([sight.count, sight.owners, sight.orphans]).toEqual([5, ['b'], ['work:a']]);
    await eventually(async () => expect(left(await other.look())).toHaveLength(5));
  });

  it.concurrent('one that stood still for 20 s is back when it goes on, with all its members', async () => {
    const [still, other] = [await start('stop', 'a'), await start('stop', 'b')];
    still.child.kill('SIGSTOP');
    expect(await seenAfterMs([other], 5)).toBeLessThan(goneWithinMs);
    await pause(6_000);
    still.child.kill('SIGCONT');
    expect(await seenAfterMs([still, other], 10)).toBeLessThan(5_000);
    const sight = await other.look();
    expect(sight.orphans).toEqual([]);
    const [leaving, joining] = ['left', 'joined'].map((type) => sight.heard.filter((event) => event.startsWith(type)));
    expect(leaving).toHaveLength(5);
    expect(joining?.filter((event) => event.startsWith('joined a-'))).toHaveLength(5);
  });
});
