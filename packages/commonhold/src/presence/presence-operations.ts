import { defineOperations, type Operations } from '../operation.js';
import type { PresencePort } from './presence-port.js';

/** Without Redis a process knows its own members, and says that they are not all. */
export const presenceOperations: Operations<PresencePort> = defineOperations<PresencePort>('presence', 'state', {
  change: { kind: 'idempotent', away: 'local' },
  beat: { kind: 'idempotent', away: 'local' },
  get: { kind: 'read', away: 'local' },
  members: { kind: 'read', away: 'local' },
  count: { kind: 'read', away: 'local' },
  user: { kind: 'read', away: 'local' },
});
