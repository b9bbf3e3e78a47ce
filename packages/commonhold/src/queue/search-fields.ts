import { InvalidArgumentError } from '../errors.js';

const mostFields = 16;
const mostTextBytes = 256;

/** @throws InvalidArgumentError unless these are names of fields that jobs can be searched by. */
export function checkSearchFields(fields: readonly string[], where: string): readonly string[] {
  const good =
    Array.isArray(fields) &&
    fields.length <= mostFields &&
    new Set(fields).size === fields.length &&
    fields.every((name) => typeof name === 'string' && /^[\w.-]{1,64}$/.test(name));
  if (good) return [...fields];
  const expected = `up to ${mostFields} different names of letters, digits, '.', '_' or '-', up to 64 long`;
  throw new InvalidArgumentError(where, expected, fields);
}

/**
 * The texts of the fields called `names` in `data`, each after its name; absent ones are left out. A number or boolean is
 * found by its text as well.
 * @throws InvalidArgumentError for a value that is no text, number or boolean, or a text that is too long.
 */
export function fieldTexts(names: readonly string[], data: unknown, where: string): string[] {
  if (typeof data !== 'object' || data === null) return [];
  return names.flatMap((name) => {
    const value = Object.hasOwn(data, name) ? (data as Record<string, unknown>)[name] : undefined;
    return value === undefined || value === null ? [] : [name, checkText(value, `${where}, field ${name}`)];
  });
}

function checkText(value: unknown, where: string): string {
  const plain = ['string', 'number', 'boolean'].includes(typeof value);
  const text = String(plain ? value : '');
  if (plain && text.isWellFormed() && Buffer.byteLength(text) <= mostTextBytes) return text;
  throw new InvalidArgumentError(where, `a text of up to ${mostTextBytes} bytes, a number or a boolean`, value);
}
