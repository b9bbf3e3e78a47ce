import { InvalidArgumentError } from '../errors.js';
import { encodePart, hashTag, type Keys } from '../keys.js';
import type { QueueAddress } from './queue-port.js';

/** The beginnings of a queue's key names. */
export interface QueueNames {
  readonly base: string;
  readonly record: string;
  readonly stats: string;
  readonly notices: string;
}

/**
 * Names the keys of a queue.
 * @throws InvalidArgumentError for a name that is no key part, or documented names that could meet.
 */
export function queueNames({ name, documented }: QueueAddress, keys: Keys): QueueNames {
  if (documented === undefined) {
    const base = keys.tagged('queue', name);
    return { base, record: `${base}:job`, stats: `${base}:stats`, notices: `${base}:notices` };
  }
  const { queue, record, stats, notices } = documented;
  const names = [queue, record, stats, notices].map((prefix) => keys.documented(prefix));
  if (new Set(names).size < names.length) {
    throw new InvalidArgumentError('queue documented', 'four different names', names.join(', '));
  }
  return { base: queue, record, stats, notices };
}

/**
 * The channel of a queue's notices as a prefix and a name, which is how a channel is opened.
 * @throws InvalidArgumentError when the two joined again would not give the same name.
 */
export function splitNotices(notices: string): { readonly prefix: string; readonly name: string } {
  const colon = notices.lastIndexOf(':');
  const [prefix, name] = [notices.slice(0, Math.max(0, colon)), notices.slice(colon + 1)];
  if (/^[!-~]{1,256}$/.test(prefix) && name !== '' && encodePart(name) === name) return { prefix, name };
  const expected = 'visible ASCII with a colon, and behind the last colon only letters, digits, dots and underscores';
  throw new InvalidArgumentError('The name of a channel for the notices of a queue', expected, notices);
}

/** Glob patterns that every key of the queue matches. */
export function ownPatterns({ base, record, stats }: QueueNames): string[] {
  const others = [record, `${stats}:tasks`, `${stats}:daily`].filter((name) => !name.startsWith(`${base}:`));
  const prefixes = [base, ...others];
  return prefixes.map((prefix) => `${prefix.replace(/[*?[\]\\^]/g, '\\$&')}:*`);
}

/** Whether the keys of a queue lie in several slots of a cluster, where no script could see them all. */
export function isScattered(names: QueueNames): boolean {
  const all = Object.values<string>({ ...names });
  return all.some((name) => hashTag(name) === name || hashTag(name) !== hashTag(names.base));
}

/** The error for {@link isScattered} names, with the text to use. */
export function scatteredError({ base, record }: QueueNames): InvalidArgumentError {
  return new InvalidArgumentError(
    'Documented queue names on Redis Cluster',
    `names with one hash tag, such as '{${base}}' and '{${base}}:${record.split(':').at(-1)}'`,
    `'${base}' and '${record}'`,
  );
}
