import type { Keys } from '../keys.js';

/** Which presence, and the rules that every process gives alike. */
export interface PresenceSpace {
  readonly name: string;
  /** For documented key names: what stands before them, verbatim. */
  readonly prefix: string | undefined;
  /** A member that was not active for longer is gone. */
  readonly silenceMs: number;
}

/** What there is to know of a member; '' where there is nothing. */
export interface MemberDetails {
  readonly user: string;
  readonly region: string;
  /** `latitude,longitude` in degrees. */
  readonly location: string;
  /** Any text. */
  readonly meta: string;
  /** Shown under documented names only. */
  readonly agent: string;
}

/**
 * One step of a member. `number` tells one stay of an id from another: a step of an earlier stay does nothing.
 *
 * `join` takes an id from whoever has it; `restore` only where nobody is present under it. Where this very stay is
 * present, neither changes anything.
 */
export type PresenceChange =
  | {
      readonly kind: 'join' | 'restore';
      readonly id: string;
      readonly number: number;
      readonly details: MemberDetails;
      /** How long ago the member was active. */
      readonly idleMs: number;
      /** When it joined; undefined for now. */
      readonly joinedAtMs: number | undefined;
    }
  /** '' leaves region or location as it is. */
  | {
      readonly kind: 'move';
      readonly id: string;
      readonly number: number;
      readonly region: string;
      readonly location: string;
    }
  | { readonly kind: 'leave'; readonly id: string; readonly number: number };

/** A member that was active since the last time it was told of. */
export interface ActiveMember {
  readonly id: string;
  readonly number: number;
  /** How long ago. */
  readonly idleMs: number;
}

/** `gone`: there is no such stay any more. `superseded`: another stay has the id. Nothing happened then. */
export type ChangeOutcome = 'done' | 'gone' | 'superseded' | 'local';

/** The answer to changes. */
export interface PresenceChanged {
  /** False when the seat is new, or members may have been taken from it because its lease had ended. */
  readonly kept: boolean;
  /** In the order of the changes. */
  readonly outcomes: readonly ChangeOutcome[];
}

/** The answer to a beat. */
export interface PresenceBeat {
  /** As in {@link PresenceChanged}. */
  readonly kept: boolean;
  /** Whether there is more to remove. */
  readonly more: boolean;
  /** When the next lease of another seat ends; undefined when there is none. */
  readonly nextEndMs: number | undefined;
  /** Numbers of the active members that are not present any more. */
  readonly gone: readonly number[];
  /** Numbers of the active members whose id another stay has. */
  readonly superseded: readonly number[];
  /** Numbers of the members of the seat that were silent for too long and are removed now. */
  readonly ended: readonly number[];
}

/** A member as it is stored; '' where there is nothing. */
export interface StoredMember extends Omit<MemberDetails, 'agent'> {
  readonly id: string;
  readonly seat: string;
  readonly joinedAtMs: number;
  readonly lastActivityAtMs: number;
  /** Known to this process, since the store is away, or has not got it yet. */
  readonly local?: true;
}

/** The body of an event, as JSON text. */
export interface StoredPresenceEvent {
  readonly type: 'joined' | 'left' | 'moved';
  readonly member: StoredMember;
  /** The region a member that moved was in; '' when in none. */
  readonly from: string;
}

/**
 * The contract of the two presence twins. Each method is one atomic step. Members belong to a *seat*: what one process
 * holds under one lease. A member is present while the lease of its seat lasts and its own silence is not too long; reads
 * see nobody else. Every removal is told once, on the channel of all events and on those of the regions concerned.
 */
export interface PresencePort {
  /** Does all changes in order, and renews the lease of the seat. */
  change(
    space: PresenceSpace,
    seat: string,
    leaseMs: number,
    changes: readonly PresenceChange[],
  ): Promise<PresenceChanged>;
  /**
   * Renews the lease of the seat if it has members, notes which of them were active, removes those that were silent for
   * too long, and, where `bury`, those of seats whose lease has ended: about a hundred at a time. Where the lease of this
   * very seat had ended, it buries nobody: the others' may have ended for the same reason, a step of the clock.
   */
  beat(
    space: PresenceSpace,
    seat: string,
    leaseMs: number,
    active: readonly ActiveMember[],
    bury: boolean,
  ): Promise<PresenceBeat>;
  /** The member `id`, if it is present. */
  get(space: PresenceSpace, id: string): Promise<StoredMember | undefined>;
  /**
   * Who is present in any of `regions`, of which none is named twice; by region in their order, then by id. Atomic for up to
   * a thousand; with more, who stays in its region all the while is there.
   */
  members(space: PresenceSpace, regions: readonly string[]): Promise<StoredMember[]>;
  /** How many are present in `region`. */
  count(space: PresenceSpace, region: string): Promise<number>;
  /** The members of `user` that are present, by id. */
  user(space: PresenceSpace, user: string): Promise<StoredMember[]>;
}

/** What all keys of a presence begin with. They share a slot, so that a step sees all it changes. */
export function presenceBase(keys: Keys, { name, prefix }: PresenceSpace): string {
  return prefix === undefined ? keys.tagged('presence', name) : keys.documented(prefix, 'presence', name);
}

/** The prefix and name of the channel on which the events of `region`, or all, are told. */
export function presenceChannel(
  keys: Keys,
  space: PresenceSpace,
  region: string | undefined,
): { readonly prefix: string; readonly name: string } {
  const base = presenceBase(keys, space);
  return region === undefined ? { prefix: base, name: 'events' } : { prefix: `${base}:events`, name: region };
}

/** How long and how many events can be replayed, as in lua/member.lua. */
export const eventRules: { readonly keepMs: number; readonly keepCount: number } = {
  keepMs: 60_000,
  keepCount: 50_000,
};

/** Orders members by id, as both twins do. */
export function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : Number(one.id > other.id);
}
