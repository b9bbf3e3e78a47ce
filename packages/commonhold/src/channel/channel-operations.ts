import { defineOperations, type Operations } from '../operation.js';
import type { ChannelPort } from './channel-port.js';

/** Without Redis a message reaches the subscribers of this process, flagged; what was published before stays away. */
export const channelOperations: Operations<ChannelPort> = defineOperations<ChannelPort>('channel', 'state', {
  append: { kind: 'mutation', away: 'local' },
  read: { kind: 'read', away: 'refuse' },
  newest: { kind: 'read', away: 'refuse' },
});
