import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';

/**
 * What a user's list of devices shows of a login. Texts come from clients, so a longer one than 256 characters is cut
 * there; nothing of it proves anything.
 */
export interface SessionDevice {
  /** What the user or the application calls it. */
  readonly name?: string | undefined;
  /** The User-Agent header. */
  readonly userAgent?: string | undefined;
  /** The address it came from. */
  readonly address?: string | undefined;
}

const names = { name: true, userAgent: true, address: true } satisfies OptionNames<SessionDevice>;
const mostCharacters = 256;

/**
 * A device as it is stored; undefined for nothing to store.
 * @throws InvalidArgumentError for another member, or one that is not text.
 */
export function encodeDevice(device: SessionDevice | undefined, what: string): string | undefined {
  if (device === undefined) return undefined;
  checkOptionNames(`${what}, device`, device, names);
  const texts = Object.entries(device).flatMap(([name, text]: [string, unknown]) => {
    if (text === undefined) return [];
    if (typeof text !== 'string') throw new InvalidArgumentError(`${what}, device ${name}`, 'text', text);
    return [[name, text.slice(0, mostCharacters).toWellFormed()] as const];
  });
  return texts.length === 0 ? undefined : JSON.stringify(Object.fromEntries(texts));
}

/** What {@link encodeDevice} made; only what is text of it, should something else have written it. */
export function decodeDevice(stored: string | undefined): SessionDevice | undefined {
  const parsed = stored === undefined ? undefined : parse(stored);
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const device: { -readonly [Name in keyof SessionDevice]: string } = {};
  for (const name of Object.keys(names) as (keyof SessionDevice)[]) {
    const text: unknown = Object.hasOwn(parsed, name) ? (parsed as SessionDevice)[name] : undefined;
    if (typeof text === 'string') device[name] = text;
  }
  return device;
}

function parse(stored: string): unknown {
  try {
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}
