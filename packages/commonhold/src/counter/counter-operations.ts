import { defineOperations, type Operations } from '../operation.js';
import type { CounterPort } from './counter-port.js';

/** Without Redis sums are noted and added on return; a reset must know the total it takes, so it is refused. */
export const counterOperations: Operations<CounterPort> = defineOperations<CounterPort>('counter', 'state', {
  add: { kind: 'mutation', away: 'journal' },
  addOnce: { kind: 'idempotent', away: 'journal' },
  get: { kind: 'read', away: 'stale' },
  reset: { kind: 'mutation', away: 'refuse' },
  resetOnce: { kind: 'idempotent', away: 'refuse' },
  series: { kind: 'read', away: 'refuse' },
});
