import type { AwayPlace } from '../backend/resilient/away-place.js';
import { type AwayTwin, isAway, resilientPort } from '../backend/resilient/resilient-port.js';
import { encodePart, type Keys } from '../keys.js';
import { type HeldMembers, onHeld } from './held-members.js';
import { moved, type Stay } from './membership.js';
import { presenceOperations } from './presence-operations.js';
import {
  byId,
  type ChangeOutcome,
  presenceBase,
  type PresenceChange,
  type PresencePort,
  type PresenceSpace,
  type StoredMember,
  type StoredPresenceEvent,
} from './presence-port.js';

/** `store`, and while it is away what this process holds: see {@link holdBehind}. */
export function awayPresence(store: PresencePort, place: AwayPlace, keys: Keys): PresencePort {
  const twin = new AwayPresence(store, place, keys);
  const port = resilientPort(store, presenceOperations, twin, place.tally);
  onHeld(port, (space, held) => twin.hold(space, held));
  return port;
}

/**
 * A presence without its store: the members of this process, which are those that its seat holds, so that nothing is kept
 * twice and nothing is done for it while all is well. What it cannot know, such as that nobody is there, rejects.
 */
class AwayPresence implements AwayTwin<PresencePort> {
  readonly answers: AwayTwin<PresencePort>['answers'];
  readonly unsure: NonNullable<AwayTwin<PresencePort>['unsure']>;
  readonly #place: AwayPlace;
  readonly #keys: Keys;
  readonly #held = new Map<string, HeldMembers>();
  /** Who left is told of once, however often the store must be told. */
  readonly #left = new WeakSet<Stay>();

  constructor(store: PresencePort, place: AwayPlace, keys: Keys) {
    this.#place = place;
    this.#keys = keys;
    this.unsure = { change: (space, _, __, changes) => this.#held.get(keyOf(space))?.doubt(changes) };
    this.answers = {
      change: (space, seat, _, changes) => this.#change(space, seat, changes),
      get: (space, id) => {
        const ask = async (): Promise<StoredMember[]> => oneOrNone(await store.get(space, id));
        return this.#read(space, (stay) => stay.id === id, ask)?.then(([member]) => member);
      },
      members: (space, regions) => {
        const found = this.#read(space, inRegion(regions), () => store.members(space, regions));
        return found?.then((members) => regions.flatMap((region) => members.filter((one) => one.region === region)));
      },
      count: (space, region) => {
        const found = this.#read(space, inRegion([region]), () => store.members(space, [region]));
        return found?.then((members) => members.length);
      },
      user: (space, user) =>
        this.#read(
          space,
          (stay) => stay.details.user === user,
          () => store.user(space, user),
        ),
    };
  }

  /** Until a beat has brought them, reads ask for those who came or moved meanwhile as well. Only reads have two arguments. */
  holds(space: PresenceSpace, _: unknown, leaseMs?: unknown): boolean {
    return leaseMs === undefined && this.#held.size > 0 && (this.#held.get(keyOf(space))?.unsaid.size ?? 0) > 0;
  }

  hold(space: PresenceSpace, held: HeldMembers): void {
    this.#held.set(keyOf(space), held);
  }

  #read(
    space: PresenceSpace,
    isWanted: (stay: Stay) => boolean,
    ask: () => Promise<StoredMember[]>,
  ): Promise<StoredMember[]> | undefined {
    const held = this.#held.get(keyOf(space));
    if (held === undefined) return undefined;
    if (held.unsaid.size > 0) return this.#merge(held, isWanted, ask);
    const own = this.#own(held, isWanted);
    return own.length === 0 ? undefined : Promise.resolve(own);
  }

  // What the store says, but for what this process has done since.
  async #merge(
    held: HeldMembers,
    isWanted: (stay: Stay) => boolean,
    ask: () => Promise<StoredMember[]>,
  ): Promise<StoredMember[]> {
    const stored = await ask().catch((error: unknown) => {
      const own = this.#own(held, isWanted);
      if (own.length === 0 || !isAway(error, presenceOperations.members)) throw error;
      return own;
    });
    const newer = new Set([...held.unsaid].map(({ id }) => id));
    const rest = stored.filter(({ id, seat, local }) => local || seat !== held.seat || !newer.has(id));
    const there = new Set(rest.map(({ id }) => id));
    const own = this.#own(held, (stay) => held.unsaid.has(stay) && !there.has(stay.id) && isWanted(stay));
    return [...rest, ...own].toSorted(byId);
  }

  #own(held: HeldMembers, isWanted: (stay: Stay) => boolean): StoredMember[] {
    const stays = [...held.stays.values()].filter((stay) => isWanted(stay) && held.isPresent(stay));
    return stays.map((stay) => this.#stored(held, stay)).toSorted(byId);
  }

  #stored(held: HeldMembers, stay: Stay): StoredMember {
    const { user, region, location, meta } = stay.details;
    const lastActivityAtMs = this.#place.clock.now() - held.idleMs(stay);
    const { id, joinedAtMs } = stay;
    return { id, seat: held.seat, user, region, location, meta, joinedAtMs, lastActivityAtMs, local: true };
  }

  #change(
    space: PresenceSpace,
    seat: string,
    changes: readonly PresenceChange[],
  ): Promise<{ kept: boolean; outcomes: ChangeOutcome[] }> | undefined {
    const held = this.#held.get(keyOf(space));
    if (held === undefined || held.seat !== seat) return undefined;
    return Promise.resolve({ kept: true, outcomes: changes.map((change) => this.#apply(space, held, change)) });
  }

  #apply(space: PresenceSpace, held: HeldMembers, change: PresenceChange): ChangeOutcome {
    if (change.kind === 'leave') return this.#leave(space, held, change.number);
    const before = held.stays.get(change.id);
    const stay = before?.number === change.number ? before : held.joining.get(change.number);
    if (stay === undefined || stay.over) return 'superseded';
    if (change.kind === 'move') {
      const from = stay.details.region;
      stay.details = moved(stay.details, change);
      stay.unplaced = true;
      if (stay.details.region !== from) this.#tell(space, held, 'moved', stay, from);
    } else if (before !== stay) {
      if (before !== undefined && before.number < stay.number) this.#replace(space, held, before);
      held.keep(stay);
      if (stay.over) return 'superseded';
      this.#tell(space, held, 'joined', stay, '');
    }
    held.unsaid.add(stay);
    held.missing.add(stay);
    return 'local';
  }

  #replace(space: PresenceSpace, held: HeldMembers, before: Stay): void {
    if (held.isPresent(before)) this.#tell(space, held, 'left', before, '');
    this.#left.add(before);
    held.replace(before);
  }

  #leave(space: PresenceSpace, held: HeldMembers, number: number): ChangeOutcome {
    const stay = held.leaving.get(number);
    if (stay === undefined) return 'gone';
    if (!this.#left.has(stay)) this.#tell(space, held, 'left', stay, '');
    this.#left.add(stay);
    // What never was there need not be told to leave.
    if (!stay.mayBeStored) return 'gone';
    held.unsaid.add(stay);
    return 'local';
  }

  #tell(space: PresenceSpace, held: HeldMembers, type: StoredPresenceEvent['type'], stay: Stay, from: string): void {
    const event: StoredPresenceEvent = { type, member: this.#stored(held, stay), from };
    const body = JSON.stringify(event);
    const channel = `${presenceBase(this.#keys, space)}:events`;
    this.#place.tell(channel, body);
    for (const region of [stay.details.region, from]) {
      if (region !== '') this.#place.tell(`${channel}:${encodePart(region)}`, body);
    }
  }
}

function keyOf(space: PresenceSpace): string {
  return JSON.stringify(space);
}

function inRegion(regions: readonly string[]): (stay: Stay) => boolean {
  return (stay) => regions.includes(stay.details.region);
}

function oneOrNone(member: StoredMember | undefined): StoredMember[] {
  return member === undefined ? [] : [member];
}
