import { defineOperations, type Operations } from '../operation.js';
import type { SessionPort } from './session-port.js';

/**
 * Without Redis nobody can log in and nothing is written, what this process read lately may still be read, and a
 * revocation holds here at once and everywhere when Redis is back. `replace` and `rotate` answer differently the second
 * time, so they are not idempotent to their caller.
 */
export const sessionOperations: Operations<SessionPort> = defineOperations<SessionPort>('session', 'state', {
  create: { kind: 'idempotent', away: 'refuse' },
  read: { kind: 'read', away: 'stale' },
  touch: { kind: 'idempotent', away: 'stale' },
  set: { kind: 'idempotent', away: 'refuse' },
  replace: { kind: 'mutation', away: 'refuse' },
  rotate: { kind: 'mutation', away: 'refuse' },
  take: { kind: 'mutation', away: 'refuse' },
  revoke: { kind: 'idempotent', away: 'journal', firstAnswerCounts: true },
  revokeAll: { kind: 'idempotent', away: 'journal', firstAnswerCounts: true },
  look: { kind: 'read', away: 'stale' },
  list: { kind: 'read', away: 'refuse' },
});
