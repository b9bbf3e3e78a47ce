import { isSameDuration } from './duration.js';
import { describe, InvalidArgumentError } from './errors.js';

/** Of each feature so many names are remembered; names that are made by the thousand, one for each id, cost no more. */
const mostNames = 1_000;
/** Stands for a function or an object of a class, such as a schema, so as not to keep it. */
const opaque = (): void => undefined;

type Plain = Readonly<Record<string, unknown>>;

interface Difference {
  /** Names from the outside in. */
  readonly path: string[];
  readonly before: unknown;
  readonly now: unknown;
}

/**
 * What was opened under which name with which options, so that one name has one set of options in a state. Options that are
 * left out differ from those that are given, also where what is given is the default; durations count by their length, and
 * any two functions or schemas as the same.
 */
export class OpenedNames {
  readonly #features = new Map<string, Map<string, unknown>>();

  /**
   * What `make` makes, which may reject the options.
   * @throws InvalidArgumentError naming an option and both its values, where `name` was opened with other options before.
   */
  open<Thing>(feature: string, name: string, options: object, make: () => Thing): Thing {
    const names = this.#namesOf(feature);
    // Under another prefix a name is another's.
    const id = 'prefix' in options ? `${String(options.prefix)}\n${name}` : name;
    const before = names.get(id);
    if (before !== undefined) refuseOther(`${feature} ${name}`, difference(before, options));
    const thing = make();
    if (before === undefined && names.size < mostNames) names.set(id, copied(options));
    return thing;
  }

  #namesOf(feature: string): Map<string, unknown> {
    const known = this.#features.get(feature);
    if (known !== undefined) return known;
    const names = new Map<string, unknown>();
    this.#features.set(feature, names);
    return names;
  }
}

function refuseOther(where: string, found: Difference | undefined): void {
  if (found === undefined) return;
  const expected = `${describe(found.before)}, with which it was opened before`;
  throw new InvalidArgumentError([where, found.path.join('.')].join(', '), expected, found.now);
}

function difference(before: unknown, now: unknown): Difference | undefined {
  if (before === now || isSameDuration(before, now) || (isOpaque(before) && isOpaque(now))) return undefined;
  if (!isPlain(before) || !isPlain(now)) return { path: [], before, now };
  for (const name in before) {
    const found = difference(before[name], now[name]);
    if (found !== undefined) return { ...found, path: [name, ...found.path] };
  }
  for (const name in now) {
    if (before[name] === undefined && now[name] !== undefined)
      return { path: [name], before: undefined, now: now[name] };
  }
  return undefined;
}

/** A copy that is not changed when the original is. */
function copied(value: unknown): unknown {
  if (isOpaque(value)) return opaque;
  if (Array.isArray(value)) return value.map(copied);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copied(part)]));
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !isOpaque(value);
}

function isOpaque(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype !== Object.prototype && prototype !== null) || '~standard' in value;
}
