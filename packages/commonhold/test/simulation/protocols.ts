import { journalProtocol } from './journal-protocol.js';
import { limiterProtocol } from './limiter-protocol.js';
import { lockProtocol } from './lock-protocol.js';
import { mapProtocol } from './map-protocol.js';
import { presenceProtocol } from './presence-protocol.js';
import type { Protocol } from './protocol.js';
import { queueProtocol } from './queue-protocol.js';
import { sessionProtocol } from './session-protocol.js';

/** Every protocol that is simulated. */
export const protocols: readonly Protocol[] = [
  lockProtocol,
  queueProtocol,
  sessionProtocol,
  limiterProtocol,
  journalProtocol,
  mapProtocol,
  presenceProtocol,
];
