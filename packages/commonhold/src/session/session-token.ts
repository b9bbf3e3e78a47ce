import { hash } from 'node:crypto';
import { InvalidArgumentError } from '../errors.js';
import type { Random } from '../random.js';
import type { SessionAddress } from './session-port.js';

/** What a fresh session is known by: to its holder by the token, to the store by the address. */
export interface IssuedToken {
  readonly token: string;
  readonly address: SessionAddress;
}

const tokenPattern = /^[0-9a-f]{64}$/;
const idPatterns = { base64url: /^[\w-]{43}$/, hex: /^[0-9a-f]{64}$/ } as const;
const bucketDigits = 4;
const longestUserBytes = 512;

/**
 * Tokens of 64 hexadecimal digits. The first four are the bucket, which follows from the user, so that a user's sessions
 * lie together; the other 240 bits are random. The store knows a token by its SHA-256 only.
 */
export class SessionTokens {
  readonly #scope: string;
  readonly #random: Random;
  readonly #encoding: keyof typeof idPatterns;

  /** `scope` parts the buckets of one use from those of another; ids are written in `encoding`. */
  constructor(scope: string, random: Random, encoding: 'base64url' | 'hex') {
    this.#scope = scope;
    this.#random = random;
    this.#encoding = encoding;
  }

  /** A fresh token in `bucket`. */
  issue(bucket: string): IssuedToken {
    const token = bucket + this.#random.bytes(30).toString('hex');
    return { token, address: this.#address(token) };
  }

  /** Where the session of a token is; undefined for anything that is not a token. */
  parse(token: unknown): SessionAddress | undefined {
    return typeof token === 'string' && tokenPattern.test(token) ? this.#address(token) : undefined;
  }

  /** Whether `id` may be the id of a session. */
  isId(id: unknown): id is string {
    return typeof id === 'string' && idPatterns[this.#encoding].test(id);
  }

  /**
   * The bucket of `user`, any bucket for nobody.
   * @throws InvalidArgumentError unless `user` is absent or well-formed text of 1 to 512 bytes.
   */
  bucketOf(user: string | undefined): string {
    if (user === undefined) return this.#random.bytes(bucketDigits / 2).toString('hex');
    if (typeof user !== 'string' || user === '' || !user.isWellFormed() || Buffer.byteLength(user) > longestUserBytes) {
      throw new InvalidArgumentError('session user', `well-formed text of 1 to ${longestUserBytes} bytes`, user);
    }
    return hash('sha256', `${this.#scope}\0${user}`, 'hex').slice(0, bucketDigits);
  }

  #address(token: string): SessionAddress {
    return { bucket: token.slice(0, bucketDigits), id: hash('sha256', token, this.#encoding) };
  }
}
