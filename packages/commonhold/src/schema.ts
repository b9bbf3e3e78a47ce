import type { Codec } from './codec/codec.js';
import type { Stored } from './codec/stored.js';
import { InvalidArgumentError, InvalidValueError, isCommonholdError } from './errors.js';

/**
 * What a value must be, in the form of https://standardschema.dev: zod, valibot, arktype and others make these. Declared here,
 * so that none of them is needed.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema answers: the value as it is from then on, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The option of everything that holds values of one type. */
export interface SchemaOption<Value> {
  /**
   * What a value must be: any synchronous schema of https://standardschema.dev. It is applied to what is written, before
   * anything is sent, and to what is read, so it must take what it gives: defaults and trimming are fine, a change of type
   * is not. What it gives is stored. Default: nothing is checked.
   */
  readonly schema?: StandardSchema<unknown, Value> | undefined;
}

/** The value as the schema gives it. `what` names it in errors. @throws InvalidValueError */
export type ValueCheck<Value> = (value: unknown, what: string) => Value;

/**
 * The check that `schema` stands for; undefined where there is none.
 * @throws InvalidArgumentError for what is no schema.
 */
export function checkOf<Value>(
  schema: StandardSchema<unknown, Value> | undefined,
  where: string,
): ValueCheck<Value> | undefined {
  if (schema === undefined) return undefined;
  const standard = isObject(schema) ? schema['~standard'] : undefined;
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new InvalidArgumentError(`${where}, schema`, 'a schema of https://standardschema.dev, version 1', schema);
  }
  return (value, what) => {
    const result = validate(standard, value, what);
    if (result.issues) throw new InvalidValueError(what, result.issues.map(issueOf));
    return (result as { readonly value: Value }).value;
  };
}

/** What `codec` reads, as `check` gives it; at once where the codec does. Throws, or rejects, as both do. */
export function decodeChecked<Value>(
  codec: Codec,
  check: ValueCheck<Value> | undefined,
  stored: Stored,
  what: string,
): Value | Promise<Value> {
  const value = codec.decode(stored, what);
  if (check === undefined) return value as Value | Promise<Value>;
  return value instanceof Promise ? value.then((decoded) => check(decoded, what)) : check(value, what);
}

function validate<Value>(
  standard: StandardSchema<unknown, Value>['~standard'],
  value: unknown,
  what: string,
): SchemaResult<Value> {
  try {
    const result = standard.validate(value);
    if (!(result instanceof Promise)) return result;
    // Nobody waits for it, so its failure must not end the process.
    result.catch(() => undefined);
    throw new InvalidArgumentError(`${what}, schema`, 'a schema that answers at once', result);
  } catch (error) {
    if (isCommonholdError(error)) throw error;
    // A schema that throws takes nothing.
    throw new InvalidValueError(what, [{ path: '', message: 'the schema threw' }], { cause: error });
  }
}

function issueOf({ message, path = [] }: SchemaIssue): { readonly path: string; readonly message: string } {
  const names = path.map((part) => (typeof part === 'object' ? part.key : part));
  return { path: names.map(String).join('.'), message };
}

function isObject(value: unknown): value is StandardSchema {
  // A schema may be a function with properties.
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
