import type { Keys } from '../keys.js';
import type { SetAddress } from './unique-set-port.js';

/** The key of a set: `<ns>:unique-set:{<name>}`, or `<prefix>:<name>` where a prefix is given. */
export function uniqueSetKey(keys: Keys, { name, prefix }: SetAddress): string {
  return prefix === undefined ? keys.tagged('unique-set', name) : keys.documented(prefix, name);
}
