import type { AwayChoices } from '../../away.js';
import { AwayCache } from '../../cache/away-cache.js';
import { cacheOperations } from '../../cache/cache-operations.js';
import { AwayChannel } from '../../channel/away-channel.js';
import { channelOperations } from '../../channel/channel-operations.js';
import { AwayCounter } from '../../counter/away-counter.js';
import { counterOperations } from '../../counter/counter-operations.js';
import type { Keys } from '../../keys.js';
import { AwayMap } from '../../map/away-map.js';
import { AwayMapReads } from '../../map/away-map-reads.js';
import { mapOperations, plainMapOperations } from '../../map/map-operations.js';
import { awayPresence } from '../../presence/away-presence.js';
import type { Operations } from '../../operation.js';
import { AwayQueue } from '../../queue/away-queue.js';
import type { JobSpool } from '../../queue/away-spool.js';
import { queueOperations } from '../../queue/queue-operations.js';
import { AwayRateLimit, OpenRateLimit } from '../../rate-limit/away-rate-limit.js';
import { rateLimitOperations } from '../../rate-limit/rate-limit-operations.js';
import type { RateLimitPort } from '../../rate-limit/rate-limit-port.js';
import { AwaySession } from '../../session/away-session.js';
import { sessionOperations } from '../../session/session-operations.js';
import { AwayUniqueSet } from '../../unique-set/away-unique-set.js';
import { uniqueSetOperations } from '../../unique-set/unique-set-operations.js';
import type { Ports, PortSet } from '../backend.js';
import { closePorts, ownPort } from '../closed-ports.js';
import type { AwayPlace } from './away-place.js';
import { type AwayTwin, resilientPort } from './resilient-port.js';

/** What each feature's uses may go to, by their choice. */
type ChosenPorts = {
  readonly [Feature in keyof AwayChoices]: Readonly<Record<AwayChoices[Feature], Ports[Feature]>>;
};

/** What the ports of one set of keys go to besides their store. */
export interface AwayParts {
  /** Where jobs wait for the store; undefined without a journal file. */
  readonly spool: JobSpool | undefined;
  /** Called when the ports are closed. Resolves when what was noted by them is in the store. */
  readonly leave: () => Promise<void>;
}

/** Puts the away twins behind `store`. Who chose to be told, and what is never answered without the store, goes there alone. */
export function resilientPorts(store: PortSet, keys: Keys, place: AwayPlace, { spool, leave }: AwayParts): PortSet {
  const { ports: there } = store;
  const resilient = <Port extends object>(port: Port, operations: Operations<Port>, twin: AwayTwin<Port>): Port =>
    resilientPort(port, operations, twin, place.tally);
  const cache = resilient(there.cache, cacheOperations, new AwayCache(there.cache, place));
  const counter = resilient(there.counter, counterOperations, new AwayCounter(there.counter, place));
  const uniqueSet = resilient(there.uniqueSet, uniqueSetOperations, new AwayUniqueSet(there.uniqueSet, place));
  const session = resilient(there.session, sessionOperations, new AwaySession(there.session, place));
  const limiting = (twin: AwayTwin<RateLimitPort>): RateLimitPort =>
    resilient(there.rateLimit, rateLimitOperations, twin);
  const rateLimit = limiting(new AwayRateLimit(place, keys));
  const channel = resilient(there.channel, channelOperations, new AwayChannel(place, keys));
  const known = new AwayMapReads(place, keys);
  const [mapTwin, plainMapTwin] = [new AwayMap(there.map, place, keys), new AwayMap(there.plainMap, place, keys)];
  const map = resilient(mapTwin.gateWhole(there.map, mapOperations), mapOperations, mapTwin);
  const plainMap = resilient(plainMapTwin.gate(there.plainMap, plainMapOperations), plainMapOperations, plainMapTwin);
  const presence = awayPresence(there.presence, place, keys);
  const queue = spool ? resilient(there.queue, queueOperations, new AwayQueue(keys.namespace, spool)) : there.queue;
  const chosen: ChosenPorts = {
    cache: { open: cache, throw: ownPort(there.cache) },
    channel: { memory: channel, throw: there.channel },
    counter: { buffer: counter, throw: ownPort(there.counter) },
    map: { buffer: map, stale: resilient(there.map, mapOperations, known), throw: ownPort(there.map) },
    plainMap: {
      buffer: plainMap,
      stale: resilient(there.plainMap, plainMapOperations, known),
      throw: ownPort(there.plainMap),
    },
    presence: { memory: presence, throw: there.presence },
    queue: { buffer: queue, throw: there.queue },
    rateLimit: { memory: rateLimit, open: limiting(new OpenRateLimit(place)), closed: there.rateLimit },
    session: { stale: session, closed: ownPort(there.session) },
    uniqueSet: { buffer: uniqueSet, throw: ownPort(there.uniqueSet) },
  };
  const ports = { ...there, cache, channel, counter, map, plainMap, presence, queue, rateLimit, session, uniqueSet };
  return {
    ports,
    portFor: (feature, away) => portOf(chosen, feature, away),
    closePorts: () => {
      // What was noted goes on to the store, whose own ports of these features are not handed out.
      void leave().then(() => store.closePorts());
      closePorts(ports);
      for (const choices of Object.values<object>(chosen)) closePorts(choices);
    },
  };
}

function portOf<Feature extends keyof AwayChoices>(
  chosen: ChosenPorts,
  feature: Feature,
  away: AwayChoices[Feature],
): Ports[Feature] {
  const choices: Readonly<Record<AwayChoices[Feature], Ports[Feature]>> = chosen[feature];
  return choices[away];
}
