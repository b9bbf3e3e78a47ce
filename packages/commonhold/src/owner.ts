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

/** @throws InvalidArgumentError for an empty name, one of over 128 characters, or one with a `#` or a control character. */
export function createOwner(random: Random, name: string = `${hostname()}-${process.pid}`): Owner {
  // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
  if (!/^[^#\u0000-\u001f]{1,128}$/.test(name)) {
    throw new InvalidArgumentError('owner', "1 to 128 characters without '#'", name);
  }
  return { name, id: `${name}#${random.bytes(6).toString('base64url')}` };
}
