import { hostname } from 'node:os';
import { InvalidArgumentError } from './errors.js';
import type { Random } from './random.js';

/** Who a process is: what it writes names it, and leases bind to it. */
export interface Owner {
  /** For people: `CONTAINER_ID`, or host and process id. */
  readonly name: string;
  /** `name#incarnation`: a restarted container is another owner and does not inherit the leases of its dead self. */
  readonly id: string;
}

/**
 * @param where what to name in an error about `name`.
 * @throws InvalidArgumentError for an empty name, one of over 128 characters, or one with a `#`, a control character or half
 *   of a surrogate pair.
 */
export function createOwner(
  random: Random,
  name: string = `${hostname()}-${process.pid}`,
  where: string = 'owner',
): Owner {
  // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
  if (typeof name !== 'string' || !/^[^#\u0000-\u001f]{1,128}$/.test(name) || !name.isWellFormed()) {
    throw new InvalidArgumentError(where, "1 to 128 characters without '#' and control characters", name);
  }
  return { name, id: `${name}#${random.bytes(6).toString('base64url')}` };
}
