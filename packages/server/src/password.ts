import { randomBytes, scrypt, timingSafeEqual, type BinaryLike, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import { ConcurrencyLimit } from './concurrency-limit.js';

const derive = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt);

/** Cost as OWASP advises for 32 MiB: N = 2^15, r = 8, p = 3. */
const cost = { N: 32_768, r: 8, p: 3 } as const;
const keyBytes = 32;
const saltBytes = 16;

/**
 * Each takes 32 MiB and a thread of Node's pool of four, which the files need too. Anybody may sign up, so that has a slot
 * of its own and does not hold up those who sign in.
 */
const signUps = new ConcurrencyLimit(1, 64);
const signIns = new ConcurrencyLimit(2, 256);

/**
 * The hash to keep of a password: `scrypt$N$r$p$salt$key`, the last two in base64url.
 *
 * @throws {BusyError} When too many passwords are being hashed.
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const key = await signUps.run(() => deriveKey(password, salt, cost));
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** What a password is compared with where there is no account: the same work, and no password fits. */
const nobody = ['scrypt', cost.N, cost.r, cost.p, randomBytes(saltBytes).toString('base64url'), ''].join('$');

/**
 * Whether `password` is the one that was hashed. Without a hash the answer is no, and takes as long.
 *
 * @throws {BusyError} As {@link hashPassword}.
 */
export async function verifyPassword(password: string, hash: string = nobody): Promise<boolean> {
  const [, n, r, p, salt = '', key = ''] = hash.split('$');
  const expected = Buffer.from(key, 'base64url');
  const stored = { N: Number(n), r: Number(r), p: Number(p) };
  const actual = await signIns.run(() => deriveKey(password, Buffer.from(salt, 'base64url'), stored));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function deriveKey(password: string, salt: Buffer, { N, r, p }: { N: number; r: number; p: number }): Promise<Buffer> {
  const options = { N, r, p, maxmem: 256 * N * r };
  // The same password typed on another keyboard may come in another form of Unicode.
  return derive(password.normalize('NFKC'), salt, keyBytes, options);
}
