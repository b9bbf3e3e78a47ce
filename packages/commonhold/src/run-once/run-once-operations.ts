import { defineOperations, type Operations } from '../operation.js';
import type { RunOncePort } from './run-once-port.js';

/** What must run once is not run without the store that would know. */
export const runOnceOperations: Operations<RunOncePort> = defineOperations<RunOncePort>('run-once', 'state', {
  claim: { kind: 'idempotent', away: 'refuse' },
  renew: { kind: 'idempotent', away: 'refuse' },
  finish: { kind: 'idempotent', away: 'refuse' },
  leave: { kind: 'idempotent', away: 'refuse' },
  get: { kind: 'read', away: 'refuse' },
  forget: { kind: 'idempotent', away: 'refuse' },
});
