import { describe, expect, it, onTestFinished } from 'vitest';
import { openRequestSession, type RequestSession } from '../../src/adapters/http/request-session.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';

interface Data {
  visits: number;
}

describe('a session whose answer goes out while the store is asked', () => {
  it.each<[string, (session: RequestSession<Data>) => Promise<unknown>]>([
    ['login', (session) => session.login('ada')],
    ['regenerate', (session) => session.regenerate()],
    ['renew', (session) => session.renew()],
  ])('%s says so, and leaves no session that nobody holds', async (_, call) => {
    const state = await openState({ namespace: 'late', memory: createMemoryStore() });
    onTestFinished(() => state.close());
    const sessions = state.sessions<Data>('web');
    const { token } = await sessions.create({ user: 'ada' });
    const put: string[] = [];
    let looks = 0;
    const place = {
      isOpen: () => looks++ === 0,
      put: (issued: string) => void put.push(issued),
      clear: () => undefined,
      device: () => undefined,
    };
    const session = await openRequestSession(sessions, { sent: true, tokens: [token] }, place);
    await expect(call(session)).rejects.toMatchObject({ code: 'InvalidArgument' });
    expect(put).toEqual([]);
    expect(await sessions.list('ada')).toEqual([]);
    expect(await session.set({ visits: 1 })).toBe(false);
  });
});
