import { encodePart, type Keys } from '../keys.js';
import type { SessionSpace } from './session-port.js';

/**
 * What the keys of one bucket begin with; a session's id follows. With a documented prefix every bucket has the same
 * keys, so the buckets are one.
 */
export function sessionBase(keys: Keys, space: SessionSpace, bucket: string): string {
  if (space.prefix !== undefined) return `${keys.documented(space.prefix)}:`;
  return `${keys.tagged('session', space.name, bucket)}:`;
}

/** The key of the index of `user`: ids of sessions by when they expire. Never that of a session: ids hold no colon. */
export function sessionIndexKey(base: string, user: string): string {
  return `${base}u:${encodePart(user)}`;
}

/** Parts the sessions of one name from those of another, in this process. */
export function sessionScope({ name, prefix }: SessionSpace): string {
  return prefix === undefined ? `name ${name}` : `prefix ${prefix}`;
}

/** Names a session in this process: one token may be shown to the sessions of two names. */
export function knownKey(space: SessionSpace, id: string): string {
  return `${sessionScope(space)}\n${id}`;
}

/** Names a bucket in this process: all of one, where they have the same keys. */
export function bucketKey(space: SessionSpace, bucket: string): string {
  return space.prefix === undefined ? `${sessionScope(space)}\n${bucket}` : sessionScope(space);
}
