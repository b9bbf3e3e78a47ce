import type { Stored } from '../codec/stored.js';
import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { decodeChecked, type ValueCheck } from '../schema.js';

type Undecided<Value> = Value | undefined | Promise<Value | undefined>;

/** What is stored where it is known that there is nothing: the value undefined, which `set` refuses. */
const absence = '\u0002{"$undefined":true}';
const absenceBytes: Buffer = Buffer.from(absence);

/** The values of one cache, to bytes and back. */
export class CacheValues<Value> {
  readonly #name: string;
  readonly #context: Pick<FeatureContext, 'codec' | 'log'>;
  readonly #check: ValueCheck<Value> | undefined;

  constructor(name: string, context: Pick<FeatureContext, 'codec' | 'log'>, check: ValueCheck<Value> | undefined) {
    this.#name = name;
    this.#context = context;
    this.#check = check;
  }

  /** The value as the schema gives it, where there is one. @throws InvalidValueError */
  checked(key: string, value: Value): Value {
    return this.#check === undefined ? value : this.#check(value, `A value of cache ${this.#name}, key ${key},`);
  }

  /** The bytes of a value that was checked. @throws InvalidArgumentError for undefined, and what the codec throws. */
  encode(key: string, value: Value): Stored {
    if (value === undefined) throw new InvalidArgumentError(`cache ${this.#name}, key ${key}`, 'a value', value);
    return this.#context.codec.encode(value, `A value of cache ${this.#name}`);
  }

  /**
   * The value, or undefined where it cannot be read, does not fit the schema or stands for none. What another program or a
   * newer version wrote is as good as absent to a cache; it is said, not hidden.
   */
  decode(stored: Stored, onUnreadable: () => void): Undecided<Value> {
    const missed = (error: unknown): undefined => this.missed(error, onUnreadable);
    try {
      if (this.#check !== undefined && isAbsence(stored)) return undefined;
      const value = decodeChecked(this.#context.codec, this.#check, stored, `A value of cache ${this.#name}`);
      return value instanceof Promise ? value.catch(missed) : value;
    } catch (error) {
      return missed(error);
    }
  }

  /** Says that an entry cannot be read. @throws `error` where it is not ours. */
  missed(error: unknown, onUnreadable: () => void): undefined {
    if (!isCommonholdError(error)) throw error;
    onUnreadable();
    this.#context.log.warn({ cache: this.#name, code: error.code }, 'an unreadable cache entry counts as absent');
  }

  /** What to store where there is nothing. */
  get absence(): Stored {
    return absence;
  }
}

/** Whether this says that there is nothing. */
export function isAbsence(stored: Stored): boolean {
  if (stored.length !== absence.length) return false;
  return typeof stored === 'string' ? stored === absence : stored.equals(absenceBytes);
}
