import { InvalidArgumentError } from '../errors.js';
import { hashTag, type Keys } from '../keys.js';
import type { QueueAddress } from './queue-port.js';

/** The beginnings of a queue's key names. */
export function queueNames(
  queue: QueueAddress,
  keys: Keys,
): { readonly base: string; readonly record: string; readonly stats: string; readonly notices: string } {
  const { documented } = queue;
  if (documented === undefined) {
    const base = keys.tagged('queue', queue.name);
    return { base, record: `${base}:job`, stats: `${base}:stats`, notices: `${base}:notices` };
  }
  return {
    base: keys.documented(documented.queue),
    record: keys.documented(documented.record),
    stats: keys.documented(documented.stats),
    notices: keys.documented(documented.notices),
  };
}

/** On a cluster one script must see all of a queue. @throws InvalidArgumentError */
export function refuseScattered(names: Readonly<Record<string, string>>): void {
  const prefixes = Object.values(names);
  if (new Set(prefixes.map(hashTag)).size === 1) return;
  throw new InvalidArgumentError(
    'Documented queue names on Redis Cluster',
    "names with one hash tag, such as '{ocr}:task:queue' and '{ocr}:task:data'",
    prefixes.join(', '),
  );
}
