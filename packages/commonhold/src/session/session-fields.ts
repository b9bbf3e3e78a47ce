import type { Codec } from '../codec/codec.js';
import type { FieldChecks } from './session-options.js';
import { CorruptStateError, InvalidArgumentError, ValueTooLargeError } from '../errors.js';
import { decodeChecked } from '../schema.js';
import { maxSessionBytes, type SessionFieldChanges, type SessionFields } from './session-port.js';

const longestNameBytes = 128;
/** Far below what a script can pass to one command. */
const mostFields = 1_000;
type Data = Record<string, unknown>;

/** How fields become bytes and bytes fields. */
export interface FieldRules {
  readonly codec: Codec;
  /** By name; undefined where nothing is checked. */
  readonly checks: FieldChecks | undefined;
}

/**
 * The own properties of `changes`, as `checks` give them, encoded; undefined stays undefined.
 * @throws InvalidArgumentError for what is not an object, a bad name, a name without a schema where others have one, or a
 * value that is not data.
 * @throws InvalidValueError for a field that does not fit its schema.
 * @throws ValueTooLargeError for more than a session may hold, or more than 1,000 fields.
 */
export function encodeFields({ codec, checks }: FieldRules, changes: object, what: string): SessionFieldChanges {
  if (typeof changes !== 'object' || changes === null) throw new InvalidArgumentError(what, 'an object', changes);
  const fields = Object.entries(changes).map(([name, value]: [string, unknown]) => {
    checkName(name, what);
    if (value === undefined) return [name, undefined] as const;
    const where = `Field ${name} of ${what}`;
    return [name, codec.encode(checks === undefined ? value : checkNamed(checks, name, value, where), where)] as const;
  });
  return withinBound(fields, what);
}

function checkNamed(checks: FieldChecks, name: string, value: unknown, where: string): unknown {
  const check = checks.get(name);
  if (check !== undefined) return check(value, where);
  throw new InvalidArgumentError(where, `one of the fields with a schema: ${[...checks.keys()].join(', ')}`, name);
}

/** `fields` with `changes` applied. */
export function mergeFields(fields: SessionFields, changes: SessionFieldChanges): SessionFields {
  const merged = new Map(fields);
  for (const [name, value] of changes) {
    if (value === undefined) merged.delete(name);
    else merged.set(name, value);
  }
  return [...merged];
}

/**
 * The object that `fields` are the properties of, without those that have no schema where others have. A promise of it
 * only where the codec makes one.
 * @throws whatever `codec.decode` and the schemas throw, and CorruptStateError for a name that is never written.
 */
export function decodeFields(
  rules: FieldRules,
  fields: SessionFields,
  what: string,
  data: Data = {},
): Data | Promise<Data> {
  const { codec, checks } = rules;
  for (const [index, [name, stored]] of fields.entries()) {
    if (name === '__proto__') throw new CorruptStateError(what, 'a field named __proto__');
    if (checks !== undefined && !checks.has(name)) continue;
    const value = decodeChecked(codec, checks?.get(name), stored, `Field ${name} of ${what}`);
    if (value instanceof Promise) {
      return value.then((first: unknown) => {
        data[name] = first;
        return decodeFields(rules, fields.slice(index + 1), what, data);
      });
    }
    data[name] = value;
  }
  return data;
}

/** The refusal of more than a session may hold. */
export function sessionTooLarge(what: string): ValueTooLargeError {
  const advice = 'Keep what is large elsewhere, and a reference to it in the session.';
  return new ValueTooLargeError(`The data of ${what}`, `${maxSessionBytes} bytes, or ${mostFields} fields at once`, {
    advice,
  });
}

function withinBound(fields: SessionFieldChanges, what: string): SessionFieldChanges {
  const written = fields.filter(([, value]) => value !== undefined);
  const bytes = written.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value ?? ''),
    0,
  );
  if (bytes > maxSessionBytes || fields.length > mostFields) throw sessionTooLarge(what);
  return fields;
}

function checkName(name: string, what: string): void {
  const isName = name !== '' && name !== '__proto__' && name.isWellFormed();
  if (isName && Buffer.byteLength(name) <= longestNameBytes) return;
  const expected = `well-formed text of 1 to ${longestNameBytes} bytes other than __proto__`;
  throw new InvalidArgumentError(`the name of a field of ${what}`, expected, name);
}
