import { InvalidArgumentError } from './errors.js';
import { encodePart } from './keys.js';
import { checkOptionNames, type OptionNames } from './option-names.js';

/** Options of a call that, done twice, would count twice. */
export interface OperationOptions {
  /**
   * An id of this call's own, 1 to 256 characters: doing it again with the same id within 10 minutes, after an outcome that
   * is unknown, does nothing more and gives the first answer. Draw a new one, such as by `randomUUID()`, for each call, not
   * for each try. Default: none.
   */
  readonly operationId?: string;
}

/** An operation as the store remembers it. */
export interface Operation {
  readonly id: string;
  /** For how long. */
  readonly rememberMs: number;
}

const optionNames = { operationId: true } satisfies OptionNames<OperationOptions>;
const longestId = 256;
/** DECISIONS K9: longer than anybody goes on trying. */
const rememberMs = 600_000;

/** The operation that `options` name; undefined where they name none. @throws InvalidArgumentError for a bad id or option. */
export function operationOf(where: string, options: OperationOptions | undefined): Operation | undefined {
  if (options === undefined) return undefined;
  checkOptionNames(where, options, optionNames);
  return options.operationId === undefined ? undefined : operationById(where, options.operationId);
}

/** The operation of that id. @throws InvalidArgumentError for a bad id. */
export function operationById(where: string, id: string): Operation {
  if (typeof id === 'string' && id !== '' && id.length <= longestId && id.isWellFormed()) return { id, rememberMs };
  throw new InvalidArgumentError(`${where}, operationId`, `well-formed text of 1 to ${longestId} characters`, id);
}

/** Where an operation on the target `key` is remembered: beside it, in its slot. */
export function operationKey(key: string, id: string): string {
  return `${key}:operation:${encodePart(id)}`;
}

/** The id was given to another operation on the same target. Nothing was done. */
export function operationReused(where: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${where}, operationId`,
    'an id of its own for each operation',
    'one that another operation had',
  );
}
