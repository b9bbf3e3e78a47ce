import type { Keys } from '../keys.js';
import type { SessionSpace } from './session-port.js';

/**
 * What became of sessions, by their ids, which are hashes of their tokens. `renewed`: the first id goes on as the second.
 * Every other kind says why they ended.
 */
export interface SessionNews {
  readonly kind: 'revoked' | 'idle' | 'absolute' | 'renewed';
  readonly ids: readonly string[];
}

const kinds: ReadonlySet<string> = new Set<SessionNews['kind']>(['revoked', 'idle', 'absolute', 'renewed']);

/** Where the news of sessions is published: not a key, and nothing of it is kept. */
export function sessionChannel(keys: Keys, { name, prefix }: SessionSpace): string {
  return prefix === undefined ? `${keys.tagged('session', name)}:news` : keys.documented(prefix, 'news');
}

/** News as it is published: the kind and the ids, parted by spaces. */
export function encodeSessionNews({ kind, ids }: SessionNews): string {
  return [kind, ...ids].join(' ');
}

/** What was published; undefined for what is no such news, as from another program or a newer version. */
export function parseSessionNews(published: string): SessionNews | undefined {
  const [kind = '', ...ids] = published.split(' ');
  return kinds.has(kind) ? { kind: kind as SessionNews['kind'], ids } : undefined;
}
