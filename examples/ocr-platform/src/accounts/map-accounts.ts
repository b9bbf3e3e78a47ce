import { createHash } from 'node:crypto';
import type { SharedMap } from 'commonhold';
import type { Account, Accounts } from './accounts.js';

/** Accounts in a shared map without end, by the SHA-256 of the e-mail in lower case: a key of one length for any address. */
class MapAccounts implements Accounts {
  readonly #map: SharedMap<Account>;

  /** Use {@link openMapAccounts}. */
  constructor(map: SharedMap<Account>) {
    this.#map = map;
  }

  add(account: Account): Promise<boolean> {
    return this.#map.add(keyOf(account.email), account);
  }

  find(email: string): Promise<Account | undefined> {
    return this.#map.get(keyOf(email));
  }
}

/** The accounts that `map` holds. */
export function openMapAccounts(map: SharedMap<Account>): Accounts {
  return new MapAccounts(map);
}

function keyOf(email: string): string {
  return createHash('sha256').update(email.toLowerCase()).digest('hex');
}
