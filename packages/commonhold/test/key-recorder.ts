import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisServer } from '../src/testing/redis-server.js';
import { RespConnection } from '../src/testing/resp-connection.js';

/** What a key is, by how the event begins that writes one. */
const typesByEvent: readonly (readonly [begin: string, type: string])[] = [
  ['set', 'string'],
  ['incr', 'string'],
  ['append', 'string'],
  ['hset', 'hash'],
  ['hincr', 'hash'],
  ['zadd', 'sorted set'],
  ['zincr', 'sorted set'],
  ['zrangestore', 'sorted set'],
  ['sadd', 'set'],
  ['lpush', 'list'],
  ['rpush', 'list'],
  ['xadd', 'stream'],
];

interface Row {
  readonly key: string;
  readonly type: string;
  readonly pattern: RegExp;
}

/**
 * The keys that docs/key-layout.md tells of. A name in angle brackets stands for one encoded part; one that ends a key for
 * what a port is given there, which is encoded in front of it. A prefix of a cluster holds a tag.
 */
export function documentedKeys(): Row[] {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/key-layout.md'), 'utf8');
  return [...page.matchAll(/^\| `(<.*?)` \| ([a-z ]+) \|/gm)].map(([, key = '', type = '']) => {
    const literal = key
      .replace(/[{}.]/g, '\\$&')
      .replace('<prefix>', '[^:{}]+:{[^:{}]+}')
      .replace(/<\w+>$/, '[^{}]+')
      .replace(/<\w+>/g, '[^:{}]+');
    return { key, type, pattern: new RegExp(`^${literal}$`) };
  });
}

/** Listens to what is written on servers. */
export class KeyRecorder {
  /** Keys of docs/key-layout.md that were written. */
  readonly documented: Set<string> = new Set();
  /** `<key> (<type>)` of what was written and is not on that page. */
  readonly unknown: Set<string> = new Set();
  readonly #rows = documentedKeys();

  /** Until what it resolves with is called. */
  async watch(server: RedisServer): Promise<() => Promise<void>> {
    await server.command('CONFIG', 'SET', 'notify-keyspace-events', 'Eg$lshzt');
    const connection = await RespConnection.open(server.port);
    connection.onUnsolicited = (reply) => {
      const [, , channel, key] = reply as readonly unknown[];
      this.#note(String(channel).replace('__keyevent@0__:', ''), String(key));
    };
    await connection.send('PSUBSCRIBE', '__keyevent@0__:*');
    return () => connection.close();
  }

  #note(event: string, key: string): void {
    const type = typesByEvent.find(([begin]) => event.startsWith(begin))?.[1];
    if (type === undefined) return;
    const row = this.#rows.find((one) => one.type === type && one.pattern.test(key));
    if (row === undefined) this.unknown.add(`${key} (${type})`);
    else this.documented.add(row.key);
  }
}
