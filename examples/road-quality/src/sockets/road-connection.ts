import type { Location, Membership } from 'commonhold';
import type { Socket } from 'socket.io';
import { regionOf } from '../regions.js';
import type { RoadState } from '../road-state.js';
import { Refusal } from './refusal.js';
import { regionRoom } from './road-messages.js';

/** A client that sends faster than the store answers is told so; more would only fill memory. */
const mostWaiting = 16;
const longestUserAgent = 256;

/**
 * One socket as a member. It is one from its connection on, first without a region. Where the store is away when it
 * connects, it becomes one with its next message.
 */
export class RoadConnection {
  readonly userId: string;
  readonly #socket: Socket;
  readonly #state: RoadState;
  #membership: Promise<Membership> | undefined;
  #regionId: string | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(socket: Socket, userId: string, state: RoadState) {
    this.#socket = socket;
    this.userId = userId;
    this.#state = state;
  }

  /** Becomes a member, unless it is one or was closed. */
  async join(): Promise<Membership> {
    if (this.#closed) throw new Refusal(409, 'The socket is closed.');
    this.#membership ??= this.#join().catch((error: unknown) => {
      this.#membership = undefined;
      throw error;
    });
    return this.#membership;
  }

  /** Says that the socket is still there. */
  async heartbeat(): Promise<void> {
    const membership = await this.join();
    membership.heartbeat();
    if (this.#regionId !== undefined) await this.#state.visited.note(this.#regionId);
  }

  /** Moves to the region of `location` and resolves with it; one move after the other. */
  async move(location: Location): Promise<string> {
    if (this.#waiting >= mostWaiting) throw new Refusal(429, 'Locations come faster than they can be stored.');
    this.#waiting++;
    const moved = this.#last.then(() => this.#move(location)).finally(() => this.#waiting--);
    this.#last = moved.catch(() => undefined);
    return moved;
  }

  /** Leaves. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    const membership = await this.#membership?.catch(() => undefined);
    await membership?.leave();
  }

  #join(): Promise<Membership> {
    const userAgent = (this.#socket.handshake.headers['user-agent'] ?? '').slice(0, longestUserAgent).toWellFormed();
    return this.#state.presence.join({ id: this.#socket.id, user: this.userId, meta: { userAgent } });
  }

  async #move(location: Location): Promise<string> {
    const membership = await this.join();
    const [from, to] = [this.#regionId, regionOf(location)];
    // In the room before in the region: who is told of this member must not be unheard by it.
    await this.#socket.join(regionRoom(to));
    try {
      this.#regionId = await membership.move({ region: to, location });
    } finally {
      if (this.#regionId !== to) await this.#socket.leave(regionRoom(to));
    }
    if (from !== undefined && from !== to) await this.#socket.leave(regionRoom(from));
    await this.#state.visited.note(to);
    return to;
  }
}
