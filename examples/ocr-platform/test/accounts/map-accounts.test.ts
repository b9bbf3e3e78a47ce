import { createMemoryStore, openState } from 'commonhold';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Account, Accounts } from '../../src/accounts/accounts.js';
import { openMapAccounts } from '../../src/accounts/map-accounts.js';
import { homes } from '../homes.js';

function account(email: string, user_id = 'one'): Account {
  return { user_id, email, role: 'user', password_hash: '', created_at: 1 };
}

describe.each(homes)('accounts in a shared map, %s', (_name, open) => {
  const home = open();

  /** The accounts of two processes. */
  async function openTwo(): Promise<[Accounts, Accounts]> {
    const redis = await home.url();
    const where = redis === undefined ? { memory: createMemoryStore() } : { redis };
    const openOne = async (): Promise<Accounts> => {
      const state = await openState({ namespace: 'ocr', ...where });
      onTestFinished(() => state.close());
      return openMapAccounts(state.map<Account>('accounts'));
    };
    return [await openOne(), await openOne()];
  }

  it('are found by their e-mail in any case of letters, from every process', async () => {
    const [one, two] = await openTwo();
    expect(await one.find('ada@example.com')).toBeUndefined();
    expect(await one.add(account('Ada@example.com'))).toBe(true);
    expect(await two.find('ADA@EXAMPLE.COM')).toEqual(account('Ada@example.com'));
    expect(await two.find('bob@example.com')).toBeUndefined();
  });

  it('of many at once for one e-mail one is added, and the rest change nothing', async () => {
    const [one, two] = await openTwo();
    const added = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? one : two).add(account('ada@example.com', String(index)))),
    );
    expect(added.filter(Boolean)).toHaveLength(1);
    expect((await one.find('ada@example.com'))?.user_id).toBe(String(added.indexOf(true)));
  });

  it('bear addresses of any length and kind', async () => {
    const [one] = await openTwo();
    for (const email of [`${'ü'.repeat(240)}@example.com`, '__proto__', '', '\ud800', 'x'.repeat(10_000)]) {
      expect(await one.find(email)).toBeUndefined();
    }
    expect(await one.add(account(`${'ü'.repeat(240)}@example.com`))).toBe(true);
    expect(await one.find(`${'Ü'.repeat(240)}@example.com`)).toBeDefined();
  });
});
