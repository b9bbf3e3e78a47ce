import { InvalidArgumentError } from './errors.js';
import { type Guard, isGuard } from './guard.js';

/** The header that carries a guard, in lower case as Node has it. */
const headerName = 'fencing-guard';

/**
 * The header of a request that is made under a lock, for a receiver that writes on behalf of its holder:
 * `Fencing-Guard: "convert:42";token="1771234567890"`, the name percent-encoded where it is not plain.
 */
export function guardHeaders({ lock, token }: Guard): Record<string, string> {
  return { 'Fencing-Guard': `"${encodeURIComponent(lock)}";token="${token}"` };
}

/**
 * The guard that a request carries, for the receiver's own guarded calls, which is where it is checked; undefined where there
 * is none. Read it from those only who may hold the lock: a token that no lock gave shuts out those who do.
 * @throws InvalidArgumentError for a header that is none, which is a 400 to answer.
 */
export function guardOfHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Guard | undefined {
  const text = headers[headerName];
  if (text === undefined) return undefined;
  const [, lock, token] = typeof text === 'string' ? (/^"([^"]{1,4096})";token="(\d{1,16})"$/.exec(text) ?? []) : [];
  const guard = { lock: decoded(lock), token };
  if (isGuard(guard)) return guard;
  throw new InvalidArgumentError('Fencing-Guard', '"<lock>";token="<digits>"', text);
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
