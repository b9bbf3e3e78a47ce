import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import type { Log } from '../../src/log.js';
import { openState } from '../../src/open-state.js';
import type { SessionsOptions } from '../../src/session/session-options.js';
import type { Sessions } from '../../src/session/session.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { waitUntil } from '../../src/testing/waiting.js';

// Both are asynchronous more often than not: they write to a database, or end the other sessions of the user.
describe('listeners of sessions that reject', () => {
  const clock = createManualClock();
  const failed: string[] = [];
  const log: Log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: { error?: unknown }, message) => void failed.push(`${message}: ${String(fields.error)}`),
  };
  const open = async (options: SessionsOptions = {}): Promise<Sessions<object>> => {
    failed.length = 0;
    const state = await openState({ memory: createMemoryStore({ clock }), clock, log });
    onTestFinished(() => state.close());
    return state.sessions<object>('s', options);
  };
  const fail = async (): Promise<never> => {
    throw new Error('the database is away');
  };

  it('of a token that came back harm nothing, and are logged', async () => {
    const sessions = await open({ grace: '1s', onReuse: fail });
    const { token } = await sessions.create({ user: 'ada' });
    await sessions.renew(token);
    await clock.advance(2_000);
    expect(await sessions.read(token)).toEqual({ session: undefined, reason: 'revoked' });
    await waitUntil('the line in the log', () => failed.length > 0);
    expect(failed).toEqual(['a listener of token reuse failed: Error: the database is away']);
  });

  it('of the end of a session harm nothing, and are logged', async () => {
    const sessions = await open();
    const { token } = await sessions.create({ user: 'ada' });
    await sessions.watch(token, fail);
    await sessions.revoke(token);
    await waitUntil('the line in the log', () => failed.length > 0);
    expect(failed).toEqual(['a listener of the end of a session failed: Error: the database is away']);
  });
});
