import type { Keys } from '../keys.js';

/** What an owner holds. */
export interface Holding {
  readonly name: string;
  /** Milliseconds since 1970, by the store's clock. */
  readonly sinceMs: number;
}

/** An owner whose lease lasts. */
export interface StoredOwner {
  readonly id: string;
  readonly startedAtMs: number;
  readonly leaseEndMs: number;
  /** By name. */
  readonly holds: readonly Holding[];
}

/** What a dead owner held and nobody holds. */
export interface Orphan extends Holding {
  /** `name#incarnation` of the dead process. */
  readonly owner: string;
}

/** The answer to a renewal. */
export interface OwnerRenewed {
  /** False when the owner came just now: it is new, was thought dead, or the data was lost. */
  readonly kept: boolean;
  /** When the next lease of another owner ends; undefined when there is none. */
  readonly nextEndMs: number | undefined;
}

/** `taken`: it was an orphan. `held`: the owner holds it already. `none`: it is no orphan. `unknown`: renew first. */
export type TakeOver = 'taken' | 'held' | 'none' | 'unknown';

/**
 * The contract of the two twins of owners. Each method is one atomic step. An owner is alive while its lease lasts. A
 * name may be held by several owners; it is an orphan when one that held it has died and none that lives holds it. All
 * of it is told on {@link ownersChannel}.
 */
export interface OwnersPort {
  /**
   * Renews the lease of `owner`, or lets it come; where `bury`, those whose lease has ended are removed, ten at a time. Where
   * the lease of `owner` itself had ended it buries nobody: the others' may have ended for the same reason, a step of the
   * clock.
   */
  renew(owner: string, leaseMs: number, bury: boolean): Promise<OwnerRenewed>;
  /** Says that `owner` holds `name`, which is then no orphan. False when the owner is not known. */
  hold(owner: string, name: string): Promise<boolean>;
  /** Says that `owner` is done with `name`; returns whether it held it. */
  release(owner: string, name: string): Promise<boolean>;
  /**
   * Has `owner` hold `names` again, but for those that others took over, which it returns. Undefined when the owner is
   * not known.
   */
  restore(owner: string, names: readonly string[]): Promise<string[] | undefined>;
  takeOver(owner: string, name: string): Promise<TakeOver>;
  /** Removes `owner` as if it had died; returns whether it was known. */
  leave(owner: string): Promise<boolean>;
  /** The owners that are alive, by id. */
  list(): Promise<StoredOwner[]>;
  /** What dead owners held and nobody holds, by name. Forgotten seven days after the last death. */
  orphans(): Promise<Orphan[]>;
}

/** What all keys of the owners begin with. */
export function ownersBase(keys: Keys): string {
  return keys.tagged('owners', 'owners');
}

/** The prefix and name of the channel on which owners are told of. */
export function ownersChannel(keys: Keys): { readonly prefix: string; readonly name: string } {
  return { prefix: ownersBase(keys), name: 'events' };
}

/** How long and how many events can be replayed, as in lua/owners.lua. */
export const ownerEventRules: { readonly keepMs: number; readonly keepCount: number } = {
  keepMs: 3_600_000,
  keepCount: 1_000,
};

/** Orders by name, as both twins do. */
export function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : Number(one.name > other.name);
}
