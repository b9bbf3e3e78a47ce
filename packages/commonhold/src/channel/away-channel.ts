import type { AwayPlace } from '../backend/resilient/away-place.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import type { Keys } from '../keys.js';
import { channelKey, type ChannelPort, localId } from './channel-port.js';

/** A channel without its store: the subscribers of this process are told, and nothing is kept. */
export class AwayChannel implements AwayTwin<ChannelPort> {
  readonly answers: AwayTwin<ChannelPort>['answers'];

  constructor(place: AwayPlace, keys: Keys) {
    this.answers = {
      append: async (address, body) => {
        place.tell(channelKey(keys, address), body);
        return localId;
      },
    };
  }
}
