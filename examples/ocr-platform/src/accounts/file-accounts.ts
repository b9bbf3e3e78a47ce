import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../has-code.js';
import type { Account, Accounts } from './accounts.js';

/**
 * Accounts as files that all processes share: `<SHA-256 of the e-mail in lower case>.json`. A file is written whole under
 * another name and then linked to its own, which fails when that is taken: so an account is never seen half written, and
 * of two processes that add the same e-mail one is told.
 */
class FileAccounts implements Accounts {
  readonly #directory: string;

  /** Use {@link openFileAccounts}. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async add(account: Account): Promise<boolean> {
    const temporary = join(this.#directory, `.${randomUUID()}`);
    try {
      await writeThrough(temporary, JSON.stringify(account));
      await link(temporary, this.#path(account.email));
      return true;
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async find(email: string): Promise<Account | undefined> {
    try {
      return JSON.parse(await readFile(this.#path(email), 'utf8')) as Account;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #path(email: string): string {
    const name = createHash('sha256').update(email.toLowerCase()).digest('hex');
    return join(this.#directory, `${name}.json`);
  }
}

/** Opens the accounts in `directory`, which is made when it does not exist. */
export async function openFileAccounts(directory: string): Promise<Accounts> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return new FileAccounts(directory);
}

/** Resolves when the bytes are on the disk. Readable by this user only. */
async function writeThrough(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}
