import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { allBatches } from '../src/all-batches.js';
import { createMemoryStore } from '../src/backend/memory/memory-store.js';
import { OutcomeUnknownError, UnavailableError } from '../src/errors.js';
import { openState } from '../src/open-state.js';
import type { SharedState } from '../src/shared-state.js';

const away = new UnavailableError('x', 'no connection');
const unknown = new OutcomeUnknownError('x', 'no answer', true);

describe('the batches of one call', () => {
  it('fail as one does where none was done, and otherwise as what may have run', async () => {
    const [done, failed, unanswered] = [Promise.resolve(1), Promise.reject(away), Promise.reject(unknown)];
    expect(await allBatches('x', [done, Promise.resolve(2)])).toEqual([1, 2]);
    await expect(allBatches('x', [failed, failed])).rejects.toBe(away);
    await expect(allBatches('x', [failed, unanswered])).rejects.toBe(unknown);
    await expect(allBatches('x', [done, unanswered])).rejects.toBe(unknown);
    await expect(allBatches('x', [done, failed])).rejects.toMatchObject({
      code: 'OutcomeUnknown',
      retrySafe: true,
      cause: away,
    });
  });

  async function open(): Promise<SharedState> {
    const state = await openState({ namespace: 'batches', memory: createMemoryStore({ maxBytes: 2_000_000 }) });
    onTestFinished(() => state.close());
    return state;
  }

  it('of a map that does not fit as a whole: never an error that says nothing was done', async () => {
    const map = (await open()).map<Buffer>('m');
    const entries = Array.from({ length: 4 }, (_, n) => [`k${n}`, randomBytes(700_000)] as const);
    await expect(map.setMany(entries)).rejects.toMatchObject({ code: 'OutcomeUnknown', retrySafe: true });
    expect(await map.count()).toBeGreaterThan(0);
    await expect(map.set('k', randomBytes(1_000_000))).rejects.toMatchObject({ code: 'Overloaded' });
  });

  it('of a set that does not fit as a whole', async () => {
    const set = (await open()).uniqueSet('s');
    const members = Array.from({ length: 20_000 }, (_, n) => `member ${n}`);
    await expect(set.add(members)).rejects.toMatchObject({ code: 'OutcomeUnknown', retrySafe: true });
    expect(await set.count()).toBeGreaterThan(0);
  });
});
