import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/accounts/accounts.js';
import { openFileAccounts } from '../../src/accounts/file-accounts.js';
import { temporaryDirectory } from '../platform.js';

function account(email: string, user_id = 'one'): Account {
  return { user_id, email, role: 'user', password_hash: '', created_at: 1 };
}

describe('accounts in files', () => {
  it('are found by their e-mail in any case of letters, from every process', async () => {
    const directory = await temporaryDirectory();
    const accounts = await openFileAccounts(directory);
    expect(await accounts.find('ada@example.com')).toBeUndefined();
    expect(await accounts.add(account('Ada@example.com'))).toBe(true);
    const other = await openFileAccounts(directory);
    expect(await other.find('ADA@EXAMPLE.COM')).toEqual(account('Ada@example.com'));
  });

  it('of many at once for one e-mail one is added, and nothing else is left', async () => {
    const directory = await temporaryDirectory();
    const [one, two] = [await openFileAccounts(directory), await openFileAccounts(directory)];
    const added = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? one : two).add(account('ada@example.com', String(index)))),
    );
    expect(added.filter(Boolean)).toHaveLength(1);
    expect((await one.find('ada@example.com'))?.user_id).toBe(String(added.indexOf(true)));
    expect(await readdir(directory)).toHaveLength(1);
  });
});
