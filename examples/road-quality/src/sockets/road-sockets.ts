import { isCommonholdError, type Location, type PresenceEvent, type Subscription } from 'commonhold';
import type { Namespace, Socket } from 'socket.io';
import { readLocation } from '../location.js';
import type { Observation } from '../observations/observation.js';
import { areaLength, isGeohash } from '../regions.js';
import type { Meta, RoadState } from '../road-state.js';
import { isUserId, longestUserId } from '../user-id.js';
import { Refusal } from './refusal.js';
import { RoadConnection } from './road-connection.js';
import { areaRoom, deliveryOf, regionRoom, roomsOf } from './road-messages.js';

/** As many areas as a wide screen shows at the scale at which regions can be told apart. */
const mostWatched = 32;

/** Messages that may wait for one client. */
const mostUnsent = 1_024;

/** What a client is told of a message that it asked about. */
type Answer = (answer: unknown) => void;

/** Serves the sockets of a namespace: members and their places, and whoever watches. */
export class RoadSockets {
  readonly #namespace: Namespace;
  readonly #state: RoadState;
  readonly #connections = new Map<string, RoadConnection>();
  readonly #subscriptions: Subscription[] = [];

  /** Use {@link openRoadSockets}. */
  constructor(namespace: Namespace, state: RoadState) {
    this.#namespace = namespace;
    this.#state = state;
    namespace.use((socket, next) => void this.#answer(socket, next));
    namespace.on('connection', (socket) => this.#serve(socket));
  }

  async open(): Promise<void> {
    const { presence, observations } = this.#state;
    this.#subscriptions.push(
      await presence.subscribe(undefined, (change) => this.#tellChange(change)),
      await observations.subscribe((observation) => this.#tellObservation(observation)),
    );
  }

  /** Takes all members of this process out. The sockets are the server's to close, in a way that sends clients elsewhere. */
  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.close();
    await Promise.allSettled([...this.#connections.values()].map((connection) => connection.close()));
  }

  async #answer(socket: Socket, next: (refusal?: Error) => void): Promise<void> {
    try {
      await this.#admit(socket);
    } catch (error) {
      const full = new Refusal(503, 'The store takes no more members now; try again later.');
      return next(error instanceof Refusal ? error : full);
    }
    next();
  }

  async #admit(socket: Socket): Promise<void> {
    const { userId } = socket.handshake.auth as { readonly userId?: unknown };
    if (!isUserId(userId)) throw new Refusal(400, `auth.userId: expected text of 1 to ${longestUserId} characters`);
    const connection = new RoadConnection(socket, userId, this.#state);
    this.#connections.set(socket.id, connection);
    // A link that breaks before the socket is connected brings no `disconnect`.
    socket.conn.once('close', () => void this.#drop(socket));
    // Without its store this is still a socket that hears what happens in this process.
    await connection.join().catch(rethrowUnlessAway);
  }

  #serve(socket: Socket): void {
    const connection = this.#connections.get(socket.id);
    if (connection === undefined) return;
    socket.once('disconnect', () => this.#drop(socket));
    closeWhenFull(socket);
    socket.on('location', (value: unknown, answer: unknown) =>
      respond(answer, async () => ({ regionId: await connection.move(requireLocation(value)) })),
    );
    socket.on('heartbeat', (...values: unknown[]) =>
      respond(values.at(-1), async () => {
        await connection.heartbeat();
        return {};
      }),
    );
    socket.on('watch', (value: unknown, answer: unknown) => respond(answer, () => watch(socket, requireAreas(value))));
  }

  async #drop(socket: Socket): Promise<void> {
    const connection = this.#connections.get(socket.id);
    this.#connections.delete(socket.id);
    await connection?.close().catch(rethrowUnlessAway);
  }

  #tellChange(change: PresenceEvent<Meta>): void {
    const { id, region } = change.member;
    const delivery = deliveryOf(change);
    if (delivery === undefined || region === undefined) return;
    const { event, message, regionIds } = delivery;
    this.#namespace.to(roomsOf(regionIds)).except(id).emit(event, message);
    // A member that was silent for too long hears no more, until it is one again.
    if (change.type === 'left') this.#namespace.in(id).socketsLeave(regionRoom(region));
    if (change.type === 'joined') this.#namespace.in(id).socketsJoin(regionRoom(region));
  }

  #tellObservation(observation: Observation): void {
    this.#namespace.to(roomsOf([observation.regionId])).emit('observation', observation);
  }
}

/** Opens the sockets of `namespace`. */
export async function openRoadSockets(namespace: Namespace, state: RoadState): Promise<RoadSockets> {
  const sockets = new RoadSockets(namespace, state);
  await sockets.open();
  return sockets;
}

/** A client that does not read is cut off, before what waits for it fills memory; it may connect again and look anew. */
function closeWhenFull({ conn }: Socket): void {
  let unsent = 0;
  conn.on('flush', () => (unsent = 0));
  conn.on('packetCreate', () => {
    if (++unsent > mostUnsent) conn.close(true);
  });
}

/** Sends what `work` resolves with, or `{error:{status,detail}}`, to a client that asked for an answer. */
async function respond(answer: unknown, work: () => Promise<unknown>): Promise<void> {
  const tell: Answer = typeof answer === 'function' ? (answer as Answer) : () => undefined;
  try {
    tell(await work());
  } catch (error) {
    if (error instanceof Refusal) return tell({ error: error.data });
    tell({ error: { status: 503, detail: 'The store cannot be reached now; try again later.' } });
    rethrowUnlessAway(error);
  }
}

function requireLocation(value: unknown): Location {
  const location = readLocation(value);
  if (typeof location === 'string') throw new Refusal(422, location);
  return location;
}

function requireAreas(value: unknown): readonly string[] {
  const { areaIds } = (value ?? {}) as { readonly areaIds?: unknown };
  const good = Array.isArray(areaIds) && areaIds.length <= mostWatched;
  if (good && areaIds.every((areaId) => isGeohash(areaId, areaLength))) return areaIds;
  throw new Refusal(422, `areaIds: expected at most ${mostWatched} geohashes of ${areaLength}`);
}

/** Hears what happens in these areas and no others; a watcher is nobody's neighbour. */
async function watch(socket: Socket, areaIds: readonly string[]): Promise<{ areaIds: readonly string[] }> {
  const wanted = new Set(areaIds.map(areaRoom));
  const watched = [...socket.rooms].filter((room) => room.startsWith(areaRoom('')));
  for (const room of watched) if (!wanted.has(room)) await socket.leave(room);
  await socket.join([...wanted]);
  return { areaIds };
}

function rethrowUnlessAway(error: unknown): void {
  const isAway = isCommonholdError(error) && ['Unavailable', 'OutcomeUnknown', 'Closed'].includes(error.code);
  if (!isAway && !(error instanceof Refusal)) throw error;
}
