import { defineOperations, type Operations } from '../operation.js';
import type { RateLimitPort } from './rate-limit-port.js';

/** Without Redis each process serves its share of the limit; what it cannot lift for all, it refuses. */
export const rateLimitOperations: Operations<RateLimitPort> = defineOperations<RateLimitPort>('rate-limit', 'state', {
  consume: { kind: 'mutation', away: 'local', whenUnsure: 'away' },
  consumeOnce: { kind: 'idempotent', away: 'local' },
  peek: { kind: 'read', away: 'local' },
  refund: { kind: 'mutation', away: 'local', whenUnsure: 'away' },
  refundOnce: { kind: 'idempotent', away: 'local' },
  block: { kind: 'idempotent', away: 'refuse' },
  reset: { kind: 'idempotent', away: 'refuse' },
});
