import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { MessageLog } from '../backend/memory/message-log.js';
import { isCommonholdError } from '../errors.js';
import { encodePart, type Keys } from '../keys.js';
import { bytesOf, type MemoryMember, MemoryPresenceRoom } from './memory-presence-room.js';
import {
  type ActiveMember,
  byId,
  type ChangeOutcome,
  eventRules,
  presenceBase,
  type PresenceBeat,
  type PresenceChange,
  type PresenceChanged,
  type PresencePort,
  type PresenceSpace,
  type StoredMember,
  type StoredPresenceEvent,
} from './presence-port.js';

type Joining = Extract<PresenceChange, { kind: 'join' | 'restore' }>;
type Moving = Omit<Extract<PresenceChange, { kind: 'move' }>, 'kind'>;
type Stay = Pick<ActiveMember, 'id' | 'number'>;

const mostRemovals = 100;
const mostDead = 10;
const shortestKeepMs = 3_600_000;

/** Each presence is a room of members. Documented names are for redis-cli, so nothing has them here. */
export class MemoryPresence implements PresencePort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #log: MessageLog;
  readonly #rooms: ExpiringTable<MemoryPresenceRoom>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#log = new MessageLog(store);
    this.#rooms = store.table('presence');
  }

  async change(
    space: PresenceSpace,
    seat: string,
    leaseMs: number,
    changes: readonly PresenceChange[],
  ): Promise<PresenceChanged> {
    const step = this.#step(space, seat);
    // A full store refuses before anything has happened.
    this.#weigh(
      step,
      changes.reduce((sum, change) => sum + addedBytes(seat, change), 0),
    );
    const kept = (step.room.leases.get(seat) ?? 0) > 0;
    const outcomes = changes.map((change) => this.#apply(step, change));
    this.#renew(step, leaseMs);
    this.#weigh(step);
    return { kept, outcomes };
  }

  async beat(
    space: PresenceSpace,
    seat: string,
    leaseMs: number,
    active: readonly ActiveMember[],
    bury: boolean,
  ): Promise<PresenceBeat> {
    const step = this.#step(space, seat);
    const { room, now } = step;
    const leaseEndMs = room.leases.get(seat) ?? 0;
    const late = leaseEndMs > 0 && leaseEndMs < now;
    const { gone, superseded } = this.#hear(step, active);
    const silent = room.ofSeat(seat, now).slice(0, mostRemovals);
    this.#removeAll(step, silent);
    this.#renew(step, leaseMs);
    const buried = bury && !late ? this.#bury(step, mostRemovals - silent.length) : 0;
    this.#weigh(step);
    const more = silent.length + buried >= mostRemovals;
    const nextEndMs = late ? undefined : room.nextEndMs(seat, now);
    const ended = silent.map(({ number }) => number);
    return { kept: leaseEndMs > 0, more, nextEndMs, gone, superseded, ended };
  }

  async get(space: PresenceSpace, id: string): Promise<StoredMember | undefined> {
    const step = this.#step(space, '');
    const member = step.room.find(id);
    return member !== undefined && isPresent(step, member) ? storedOf(space, member) : undefined;
  }

  async members(space: PresenceSpace, regions: readonly string[]): Promise<StoredMember[]> {
    const step = this.#step(space, '');
    return regions.flatMap((region) => present(step, step.room.ofRegion(region)));
  }

  async count(space: PresenceSpace, region: string): Promise<number> {
    const step = this.#step(space, '');
    let count = 0;
    for (const member of step.room.ofRegion(region)) if (isPresent(step, member)) count++;
    return count;
  }

  async user(space: PresenceSpace, user: string): Promise<StoredMember[]> {
    const step = this.#step(space, '');
    return present(step, step.room.ofUser(user));
  }

  #step(space: PresenceSpace, seat: string): Step {
    const base = presenceBase(this.#keys, space);
    return { space, seat, base, room: this.#rooms.get(base) ?? new MemoryPresenceRoom(), now: this.#store.now() };
  }

  #apply(step: Step, change: PresenceChange): ChangeOutcome {
    const member = step.room.find(change.id);
    if (change.kind === 'move') return this.#move(step, change, member);
    if (change.kind !== 'leave') return this.#join(step, change, member);
    if (member === undefined) return 'gone';
    if (!isMine(step, member, change)) return 'superseded';
    this.#leave(step, member);
    return 'done';
  }

  #join(step: Step, change: Joining, member: MemoryMember | undefined): ChangeOutcome {
    const { id, number, details, idleMs } = change;
    const { region, location } = details;
    if (member !== undefined && isPresent(step, member)) {
      // What is here is newer than what its process remembered.
      if (isMine(step, member, change)) return 'done';
      if (change.kind === 'restore' && !isEarlier(step, member, change)) return 'superseded';
    }
    if (member !== undefined) this.#leave(step, member);
    const { user, meta } = details;
    const { seat, space, now } = step;
    const joinedAtMs = change.joinedAtMs ?? now;
    const endsAtMs = now - idleMs + space.silenceMs;
    const joined = { id, seat, number, user, meta, joinedAtMs, region, location, endsAtMs };
    step.room.add(joined);
    this.#tell(step, 'joined', joined, '');
    return 'done';
  }

  #move(step: Step, change: Moving, member: MemoryMember | undefined): ChangeOutcome {
    if (member === undefined) return 'gone';
    if (!isMine(step, member, change)) return supersedes(step, member, change) ? 'superseded' : 'gone';
    if (member.endsAtMs < step.now) return 'gone';
    const from = member.region;
    step.room.move(member, change.region, change.location);
    member.endsAtMs = step.now + step.space.silenceMs;
    if (member.region !== from) this.#tell(step, 'moved', member, from);
    return 'done';
  }

  #hear(step: Step, active: readonly ActiveMember[]): { readonly gone: number[]; readonly superseded: number[] } {
    const [gone, superseded]: [number[], number[]] = [[], []];
    for (const entry of active) {
      const member = step.room.find(entry.id);
      const mine = member !== undefined && isMine(step, member, entry);
      const activeAtMs = step.now - entry.idleMs;
      if (mine && member.endsAtMs >= activeAtMs) {
        member.endsAtMs = Math.max(member.endsAtMs, activeAtMs + step.space.silenceMs);
      } else if (member !== undefined && !mine && supersedes(step, member, entry)) superseded.push(entry.number);
      else gone.push(entry.number);
    }
    return { gone, superseded };
  }

  // As lua/beat.lua, also in how much it does at a time. Returns how many members it removed.
  #bury(step: Step, most: number): number {
    const { room, now } = step;
    const dead = [...room.leases].filter(([, endsAtMs]) => endsAtMs < now).toSorted(byEnd);
    let left = most;
    for (const [seat] of dead.slice(0, mostDead)) {
      if (left <= 0) break;
      room.leases.set(seat, 0);
      const members = room.ofSeat(seat).slice(0, left);
      this.#removeAll(step, members);
      left -= members.length;
      if (!room.hasSeat(seat)) room.leases.delete(seat);
    }
    return most - left;
  }

  #removeAll(step: Step, members: readonly MemoryMember[]): void {
    for (const member of members) this.#leave(step, member);
  }

  #leave(step: Step, member: MemoryMember): void {
    step.room.remove(member);
    this.#tell(step, 'left', member, '');
  }

  #renew({ room, seat, now }: Step, leaseMs: number): void {
    if (!room.hasSeat(seat)) room.leases.delete(seat);
    else room.leases.set(seat, now + leaseMs);
  }

  #tell({ base, space }: Step, type: StoredPresenceEvent['type'], member: MemoryMember, from: string): void {
    const event: StoredPresenceEvent = { type, member: storedOf(space, member), from };
    const body = JSON.stringify(event);
    this.#append(`${base}:events`, body);
    for (const region of [member.region, from]) {
      if (region !== '') this.#append(`${base}:events:${encodePart(region)}`, body);
    }
  }

  // A full store must keep nobody from leaving: nothing is told then.
  #append(channel: string, body: string): void {
    try {
      this.#log.append(channel, channel, body, { ...eventRules, format: 'framed' });
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
  }

  #weigh({ base, room, space, now }: Step, addedBytes: number = 0): void {
    if (room.size === 0 && room.leases.size === 0 && addedBytes === 0) return void this.#rooms.delete(base);
    const keepMs = Math.max(shortestKeepMs, 2 * space.silenceMs);
    this.#rooms.set(base, room, room.bytes + addedBytes, now + keepMs);
  }
}

/** What one call works on. */
interface Step {
  readonly space: PresenceSpace;
  readonly seat: string;
  readonly base: string;
  readonly room: MemoryPresenceRoom;
  readonly now: number;
}

function isMine(step: Step, member: MemoryMember, stay: Stay): boolean {
  return member.seat === step.seat && member.number === stay.number;
}

// An earlier stay of this seat: the store went back to it, so it stands for the later one.
function isEarlier(step: Step, member: MemoryMember, stay: Stay): boolean {
  return member.seat === step.seat && member.number < stay.number;
}

function supersedes(step: Step, member: MemoryMember, stay: Stay): boolean {
  return isPresent(step, member) && !isEarlier(step, member, stay);
}

// A call that changes something for a seat is itself a sign of life of that seat.
function isPresent({ room, seat, now }: Step, member: MemoryMember): boolean {
  return member.endsAtMs >= now && (member.seat === seat || (room.leases.get(member.seat) ?? 0) >= now);
}

function present(step: Step, members: Iterable<MemoryMember>): StoredMember[] {
  const found = [...members].filter((member) => isPresent(step, member));
  return found.map((member) => storedOf(step.space, member)).toSorted(byId);
}

function storedOf({ silenceMs }: PresenceSpace, member: MemoryMember): StoredMember {
  const { id, seat, user, region, location, meta, joinedAtMs, endsAtMs } = member;
  return { id, seat, user, region, location, meta, joinedAtMs, lastActivityAtMs: endsAtMs - silenceMs };
}

function addedBytes(seat: string, change: PresenceChange): number {
  if (change.kind === 'leave') return 0;
  if (change.kind === 'move') return 2 * (change.region.length + change.location.length);
  const { user, region, location, meta } = change.details;
  return bytesOf(change.id, seat, user, region, location, meta);
}

function byEnd([seat, endsAtMs]: readonly [string, number], [other, otherEndsAtMs]: readonly [string, number]): number {
  return endsAtMs - otherEndsAtMs || (seat < other ? -1 : 1);
}
