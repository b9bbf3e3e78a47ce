/** A member in memory; '' where there is nothing. */
export interface MemoryMember {
  readonly id: string;
  readonly seat: string;
  readonly number: number;
  readonly user: string;
  readonly meta: string;
  readonly joinedAtMs: number;
  region: string;
  location: string;
  /** When its silence becomes too long. */
  endsAtMs: number;
}

/** Map slots, objects and places in three indexes. Measured, rounded up. */
const memberOverheadBytes = 700;

/** Estimated bytes of a member with texts of so many characters in all. */
export function bytesOf(...texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + 2 * text.length, memberOverheadBytes);
}

/** The members of one presence, with the indexes that find them, and the leases of their seats. */
export class MemoryPresenceRoom {
  /** When the lease of each seat ends; 0 for one from which members were taken. */
  readonly leases: Map<string, number> = new Map();
  readonly #members = new Map<string, MemoryMember>();
  readonly #seats = new Map<string, Set<MemoryMember>>();
  readonly #regions = new Map<string, Set<MemoryMember>>();
  readonly #users = new Map<string, Set<MemoryMember>>();
  #bytes = 0;

  get size(): number {
    return this.#members.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(id: string): MemoryMember | undefined {
    return this.#members.get(id);
  }

  hasSeat(seat: string): boolean {
    return this.#seats.has(seat);
  }

  /** The members of a seat whose silence ended before `beforeMs`, by that end and then by id. */
  ofSeat(seat: string, beforeMs: number = Infinity): MemoryMember[] {
    const members = [...(this.#seats.get(seat) ?? [])].filter(({ endsAtMs }) => endsAtMs < beforeMs);
    return members.toSorted(bySilence);
  }

  ofRegion(region: string): Iterable<MemoryMember> {
    return this.#regions.get(region) ?? [];
  }

  ofUser(user: string): Iterable<MemoryMember> {
    return this.#users.get(user) ?? [];
  }

  add(member: MemoryMember): void {
    this.#members.set(member.id, member);
    this.#bytes += this.#bytesOf(member);
    put(this.#seats, member.seat, member);
    put(this.#regions, member.region, member);
    put(this.#users, member.user, member);
  }

  remove(member: MemoryMember): void {
    this.#members.delete(member.id);
    this.#bytes -= this.#bytesOf(member);
    take(this.#seats, member.seat, member);
    take(this.#regions, member.region, member);
    take(this.#users, member.user, member);
  }

  /** Changes region, location or both; '' leaves either as it is. */
  move(member: MemoryMember, region: string, location: string): void {
    this.remove(member);
    if (region !== '') member.region = region;
    if (location !== '') member.location = location;
    this.add(member);
  }

  /** How long until the next lease of a seat other than `seat` has ended; undefined when there is none. */
  nextEndMs(seat: string, nowMs: number): number | undefined {
    const others = [...this.leases].filter(([other]) => other !== seat).map(([, endsAtMs]) => endsAtMs);
    return others.length === 0 ? undefined : Math.max(0, Math.min(...others) + 1 - nowMs);
  }

  #bytesOf({ id, seat, user, meta, region, location }: MemoryMember): number {
    return bytesOf(id, seat, user, meta, region, location);
  }
}

function bySilence(one: MemoryMember, other: MemoryMember): number {
  return one.endsAtMs - other.endsAtMs || (one.id < other.id ? -1 : 1);
}

function put(index: Map<string, Set<MemoryMember>>, key: string, member: MemoryMember): void {
  if (key === '') return;
  const members = index.get(key);
  if (members) members.add(member);
  else index.set(key, new Set([member]));
}

function take(index: Map<string, Set<MemoryMember>>, key: string, member: MemoryMember): void {
  const members = index.get(key);
  members?.delete(member);
  if (members?.size === 0) index.delete(key);
}
