import { InvalidArgumentError } from './errors.js';
import { encodePart } from './keys.js';

/** Proof of who holds a lock, to be checked where the work is written: a later holder has a larger token. */
export interface Guard {
  readonly lock: string;
  /** Decimal text of up to 16 digits, larger with every acquisition; a whole number below 2^53. */
  readonly token: string;
}

/** Options of a call that may be guarded. */
export interface GuardOptions {
  /**
   * What a lock gave its holder. The call rejects with `StaleGuard`, and does nothing, when a later holder has made a guarded
   * call to the same resource; a read, too, keeps earlier holders from writing afterwards.
   */
  readonly guard?: Guard | undefined;
}

/**
 * How long a resource remembers a token: at least a day after its last guarded call, since the time is renewed when a day is
 * left. Renewing it with each call would write first, after which a full Redis refuses no further write of a script.
 */
export const keepFenceMs = 172_800_000;
/** How much of {@link keepFenceMs} is left at least after a guarded call. */
export const renewFenceMs = 86_400_000;

/** The key beside a resource at which it remembers the largest token of `lock` that it has seen. `base` is its own key. */
export function fenceKey(base: string, lock: string): string {
  return `${base}:fence:${encodePart(lock)}`;
}

/**
 * The guard, if there is one.
 * @throws InvalidArgumentError naming `where` for what no lock gave.
 */
export function checkGuard(where: string, guard: Guard | undefined): Guard | undefined {
  if (guard === undefined || isGuard(guard)) return guard;
  throw new InvalidArgumentError(`${where}, guard`, 'the guard of a held lock', guard);
}

/** Whether `value` is what a lock may have given: a name, and a whole number below 2^53 as text. */
export function isGuard(value: unknown): value is Guard {
  if (typeof value !== 'object' || value === null) return false;
  const { lock, token } = value as Partial<Guard>;
  if (typeof lock !== 'string' || lock === '' || !lock.isWellFormed()) return false;
  return typeof token === 'string' && /^\d{1,16}$/.test(token) && Number.isSafeInteger(Number(token));
}
