import { defineOperations, type Operations } from '../operation.js';
import type { QueuePort } from './queue-port.js';

/**
 * Nothing is acknowledged that is not stored. `add` and `turn` carry a number: an `add` may be sent again as it is, and a
 * worker goes on after a lost turn with the next one, in which ended jobs are superseded by themselves and it is told
 * what it holds. Without the number they stay mutations, which is what the table says.
 */
export const queueOperations: Operations<QueuePort> = defineOperations<QueuePort>('queue', 'state', {
  add: { kind: 'mutation', away: 'spool', whenUnsure: 'away' },
  turn: { kind: 'mutation', away: 'refuse' },
  renew: { kind: 'idempotent', away: 'refuse' },
  leave: { kind: 'idempotent', away: 'refuse' },
  progress: { kind: 'idempotent', away: 'refuse' },
  log: { kind: 'mutation', away: 'refuse' },
  get: { kind: 'read', away: 'refuse' },
  list: { kind: 'read', away: 'refuse' },
  search: { kind: 'read', away: 'refuse' },
  deadLetters: { kind: 'read', away: 'refuse' },
  cancel: { kind: 'idempotent', away: 'refuse' },
  retry: { kind: 'idempotent', away: 'refuse' },
  counts: { kind: 'read', away: 'refuse' },
  totals: { kind: 'read', away: 'refuse' },
  days: { kind: 'read', away: 'refuse' },
  awaitEnd: { kind: 'idempotent', away: 'refuse' },
  now: { kind: 'read', away: 'refuse' },
  pause: { kind: 'idempotent', away: 'refuse' },
  remove: { kind: 'idempotent', away: 'refuse' },
  sweep: { kind: 'idempotent', away: 'refuse' },
  drain: { kind: 'idempotent', away: 'refuse' },
  obliterate: { kind: 'idempotent', away: 'refuse' },
});
