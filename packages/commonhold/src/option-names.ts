import { InvalidArgumentError } from './errors.js';

/** How an option is called where it was given: by its path, or by its variable. */
export type NameOption = (option: string) => string;

/** Every name that options of this type may have. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/**
 * Refuses a name that no option has: a typing error that would otherwise leave a default in force without a word.
 * @throws InvalidArgumentError naming `where`, the names there are and the one that came.
 */
export function checkOptionNames<Options extends object>(
  where: string,
  options: Options,
  names: Readonly<Record<keyof Options, unknown>>,
): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError(where, 'an object', options);
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw new InvalidArgumentError(where, `only the options ${Object.keys(names).join(', ')}`, unknown);
}

/** @throws InvalidArgumentError naming `where`, unless an option `durable` is true, false or absent. */
export function checkDurable(durable: unknown, where: string): void {
  if (durable !== undefined && typeof durable !== 'boolean') {
    throw new InvalidArgumentError(where, 'true or false', durable);
  }
}
