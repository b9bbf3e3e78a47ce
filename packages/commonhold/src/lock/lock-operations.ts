import { defineOperations, type Operations } from '../operation.js';
import type { LockPort, ReadWriteLockPort } from './lock-port.js';

/** A lock is never faked: without Redis nobody gets one, and holders are told before their lease ends. */
export const lockOperations: Operations<LockPort> = defineOperations<LockPort>('lock', 'state', {
  acquire: { kind: 'idempotent', away: 'refuse' },
  renew: { kind: 'idempotent', away: 'refuse' },
  release: { kind: 'idempotent', away: 'refuse' },
  status: { kind: 'read', away: 'refuse' },
  now: { kind: 'read', away: 'refuse' },
});

/** As {@link lockOperations}. */
export const readWriteLockOperations: Operations<ReadWriteLockPort> = defineOperations<ReadWriteLockPort>(
  'read-write-lock',
  'state',
  {
    acquire: { kind: 'idempotent', away: 'refuse' },
    renew: { kind: 'idempotent', away: 'refuse' },
    release: { kind: 'idempotent', away: 'refuse' },
    status: { kind: 'read', away: 'refuse' },
  },
);
