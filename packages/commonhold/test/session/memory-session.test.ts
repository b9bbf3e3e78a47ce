import { describe, expect, it } from 'vitest';
import { createMemoryBackend } from '../../src/backend/memory/memory-backend.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { createKeys } from '../../src/keys.js';
import { openState } from '../../src/open-state.js';
import type { SessionSpace } from '../../src/session/session-port.js';
import type { SharedState } from '../../src/shared-state.js';

const hourMs = 3_600_000;
const space: SessionSpace = {
  name: 's',
  prefix: undefined,
  idleMs: hourMs,
  absoluteMs: hourMs,
  rememberMs: 0,
  tombstoneMs: hourMs,
  maxPerUser: 0,
  whenFull: 'evict',
  graceMs: 0,
  staleMs: 30_000,
};

describe('sessions in memory', () => {
  it('hands out copies of bytes', async () => {
    const store = createMemoryStore();
    const { session } = createMemoryBackend(store, createKeys('n'), true).ports;
    const address = { bucket: 'b0', id: 'i' };
    await session.create(space, address, { user: undefined, device: undefined }, [['a', Buffer.from([1, 7])]]);
    for (const _ of [1, 2]) {
      const read = await session.read(space, address);
      const stored = typeof read === 'object' && 'fields' in read ? read.fields[0]?.[1] : read;
      expect(stored).toEqual(Buffer.from([1, 7]));
      (stored as Buffer)[1] = 9;
    }
    store.close();
  });

  const fill = async (state: SharedState): Promise<string[]> => {
    const sessions = state.sessions('s');
    const tokens: string[] = [];
    for (;;) {
      const made = await sessions.create({ user: `user-${tokens.length}`, data: { n: 1 } }).catch(() => undefined);
      if (made === undefined) return tokens;
      tokens.push(made.token);
    }
  };

  it('lets nobody in when the store is full, but everybody go on and out', async () => {
    const state = await openState({ memory: createMemoryStore({ maxBytes: 20_000 }) });
    const sessions = state.sessions('s');
    const [first = '', second = '', ...rest] = await fill(state);
    expect(rest.length).toBeGreaterThan(5);
    // What is left over is too small for a session, and may be enough for a tombstone.
    for (
      let n = 0;
      await state
        .counter(`${n}`)
        .add()
        .catch(() => undefined);
      n++
    );
    await expect(sessions.create({ user: 'a-new-user' })).rejects.toMatchObject({ code: 'Overloaded' });
    expect(await sessions.list('a-new-user')).toEqual([]);
    await expect(sessions.set(first, { text: 'x'.repeat(5_000) })).rejects.toMatchObject({ code: 'Overloaded' });
    await expect(sessions.rotate(first)).rejects.toMatchObject({ code: 'Overloaded' });
    expect((await sessions.read(first)).session?.data).toEqual({ n: 1 });
    expect(await sessions.list('user-0')).toHaveLength(1);
    expect(await sessions.revokeAll('user-0')).toBe(1);
    expect(await sessions.revoke(second)).toBe(true);
    expect(await sessions.create({ user: 'a-new-user' })).toBeDefined();
    await state.close();
  });

  it('gives back all it took when sessions end', async () => {
    const memory = createMemoryStore({ maxBytes: 20_000 });
    const state = await openState({ memory });
    const sessions = state.sessions('s', { tombstone: 1, idle: 1 });
    await Promise.all(Array.from({ length: 20 }, () => sessions.create({ user: 'ada' })));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await sessions.list('ada')).toEqual([]);
    await sessions.revokeAll('ada');
    expect(memory.budget.usedBytes).toBe(0);
    await state.close();
    memory.close();
  });
});
