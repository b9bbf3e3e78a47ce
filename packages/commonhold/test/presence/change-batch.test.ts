import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { systemClock } from '../../src/clock.js';
import { OutcomeUnknownError } from '../../src/errors.js';
import { openState } from '../../src/open-state.js';
import { ChangeBatch } from '../../src/presence/change-batch.js';
import type { Presence } from '../../src/presence/presence.js';
import { MemoryPresence } from '../../src/presence/memory-presence.js';
import { eventLoopTurn } from '../../src/testing/waiting.js';

describe('changes of many members', () => {
  /** Sizes of the steps in which 1,000 changes are sent, when each answer takes `ms`. */
  async function sizes(ms: number): Promise<number[]> {
    let nowMs = 0;
    const sent: number[] = [];
    const batch = new ChangeBatch({ ...systemClock, monotonic: () => nowMs }, async (changes) => {
      sent.push(changes.length);
      await eventLoopTurn();
      nowMs += ms;
      return changes.map(() => 'done' as const);
    });
    const changes = Array.from({ length: 1_000 }, (_, number) =>
      batch.add({ kind: 'leave', id: `m${number}`, number }),
    );
    await Promise.all(changes);
    return sent;
  }

  it('travel a hundred at a time where answers are quick', async () => {
    expect(await sizes(5)).toEqual(Array.from({ length: 10 }, () => 100));
  });

  it('travel in ever smaller steps where answers are slow, and never fewer than ten', async () => {
    const sent = await sizes(200);
    expect(sent.slice(0, 2)).toEqual([100, 100]);
    expect(Math.min(...sent.slice(0, -1))).toBe(10);
    expect(sent.at(-2)).toBe(10);
  });
});

interface Opened {
  readonly one: Presence;
  readonly two: Presence;
  readonly told: readonly string[];
}

describe('a join whose answer does not come', () => {
  async function open(change: 'ran' | 'did not run'): Promise<Opened> {
    // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this` below
    const original = MemoryPresence.prototype.change;
    const spy = vi.spyOn(MemoryPresence.prototype, 'change').mockImplementationOnce(async function (
      this: MemoryPresence,
      ...args
    ) {
      if (change === 'ran') await original.apply(this, args);
      throw new OutcomeUnknownError('presence.change', 'no answer by its deadline', true);
    });
    const memory = createMemoryStore();
    const states = await Promise.all([1, 2].map(() => openState({ memory, namespace: 'n', redis: false })));
    onTestFinished(async () => {
      spy.mockRestore();
      await Promise.all(states.map((state) => state.close()));
      memory.close();
    });
    const [one, two] = states.map((state) => state.presence('p'));
    if (one === undefined || two === undefined) throw new Error('two states were opened');
    const told: string[] = [];
    await two.subscribe(undefined, ({ type, member }) => void told.push(`${type} ${member.id}`));
    return { one, two, told };
  }

  it.each(['ran', 'did not run'] as const)(
    'is done again by its number and told of once, when it %s',
    async (change) => {
      const { one, two, told } = await open(change);
      const membership = await one.join({ id: 'ada', region: 'r' });
      expect(await two.count('r')).toBe(1);
      await membership.leave();
      await eventLoopTurn();
      expect(told).toEqual(['joined ada', 'left ada']);
    },
  );

  it('is not done again over somebody who took the id meanwhile', async () => {
    const { one, two } = await open('did not run');
    const joining = one.join({ id: 'ada', region: 'late' });
    await two.join({ id: 'ada', region: 'r' });
    await expect(joining).rejects.toMatchObject({ code: 'OutcomeUnknown' });
    expect([await two.count('r'), await two.count('late')]).toEqual([1, 0]);
  });
});
