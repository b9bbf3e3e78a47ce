import type { ProbeTable } from '../probe.js';
import { CacheProbe } from './cache-probe.js';
import { ChannelProbe } from './channel-probe.js';
import { CounterProbe } from './counter-probe.js';
import { LockProbe } from './lock-probe.js';
import { MapProbe } from './map-probe.js';
import { PresenceProbe } from './presence-probe.js';
import { QueueProbe } from './queue-probe.js';
import { RateLimitProbe } from './rate-limit-probe.js';
import { SessionProbe } from './session-probe.js';
import { UniqueSetProbe } from './unique-set-probe.js';

/** The probe of each feature. */
export const probes: ProbeTable = {
  CA: CacheProbe,
  SE: SessionProbe,
  RL: RateLimitProbe,
  MA: MapProbe,
  LO: LockProbe,
  QU: QueueProbe,
  PS: ChannelProbe,
  PR: PresenceProbe,
  CN: CounterProbe,
  US: UniqueSetProbe,
};
