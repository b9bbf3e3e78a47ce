/** Which set: its name, and where given the documented prefix of its key, verbatim. Plain data that goes with each call. */
export interface SetAddress {
  readonly name: string;
  readonly prefix: string | undefined;
}

/** Members that one step takes at most: what Lua passes on to one command, and a reply that does not hold up others. */
export const mostMembers = 5_000;

/**
 * The contract of the two unique-set twins. Each method is one atomic step. A batch holds 1 to {@link mostMembers}
 * members; a member named twice counts once. A set without members does not exist, so its life is over.
 */
export interface UniqueSetPort {
  /**
   * Adds `members` and returns how many were new. An absent set begins and ends `ttlMs` from now; a present one keeps its
   * end.
   */
  add(set: SetAddress, members: readonly string[], ttlMs: number | undefined): Promise<number>;
  has(set: SetAddress, member: string): Promise<boolean>;
  /** For each of `members`, in their order, whether it is in the set. */
  hasMany(set: SetAddress, members: readonly string[]): Promise<boolean[]>;
  /** How many members there are; 0 when absent. */
  count(set: SetAddress): Promise<number>;
  /**
   * About `limit` members from `cursor` on, `'0'` for the first call, and the cursor to go on with, `'0'` at the end. A
   * member that is there from the first call to the last comes at least once.
   */
  members(set: SetAddress, cursor: string, limit: number): Promise<SetPage>;
  /** Removes `members` and returns how many were there. */
  delete(set: SetAddress, members: readonly string[]): Promise<number>;
  /** Removes the set and returns how many members it had. */
  clear(set: SetAddress): Promise<number>;
}

/** One step of reading all members. */
export interface SetPage {
  readonly members: readonly string[];
  readonly cursor: string;
}
