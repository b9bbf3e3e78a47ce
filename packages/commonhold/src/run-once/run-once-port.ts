import type { Stored } from '../codec/stored.js';
import { encodePart } from '../keys.js';
import type { LineMember, TurnToCome } from '../line-member.js';

/** A result that is kept. */
export interface KeptResult {
  readonly state: 'done';
  readonly result: Stored;
  /** Id of the process that finished. */
  readonly owner: string;
  /** Milliseconds since 1970, by the store's clock. */
  readonly finishedAtMs: number;
}

/** The right to run. */
export interface RunRight {
  readonly state: 'run';
  /** How often the right was given since there was no record. */
  readonly attempt: number;
}

/** The key stands for a run with another fingerprint. */
export interface OtherRun {
  readonly state: 'mismatch';
}

/** What one who wants to run is told. */
export type RunClaim = KeptResult | RunRight | OtherRun | TurnToCome;

/** A run as it stands. */
export type RunRecord =
  | KeptResult
  | { readonly state: 'running'; readonly owner: string; readonly attempt: number; readonly startedAtMs: number }
  | { readonly state: 'absent' };

/**
 * The contract of the two run-once twins. Each method is one atomic step. One member at a time has the right to run, for
 * `leaseMs` by the store's clock; those who wait stand in a line in the order they came. `keepMs` is how long a result is
 * kept, and how long attempts are counted together when there is none.
 */
export interface RunOncePort {
  /**
   * The result; or the right to run, when nobody has it and nobody waits who came before; or a place in the line. The first
   * right that is given with a `fingerprint` binds the run to it, until its record is gone or forgotten: a claim with another
   * is a `mismatch`, whatever the state of the run, and changes nothing.
   */
  claim(
    name: string,
    key: string,
    member: LineMember,
    leaseMs: number,
    waitMs: number,
    keepMs: number,
    fingerprint: string | undefined,
  ): Promise<RunClaim>;
  /**
   * Lets the lease begin anew; false when `member` does not have the right to run. True when it has handed in its result,
   * which a renewal may meet on its way: nothing was lost.
   */
  renew(name: string, key: string, member: LineMember, leaseMs: number, keepMs: number): Promise<boolean>;
  /**
   * Keeps the result of `member` and wakes all who wait with {@link runTopic}. `lost` when it was taken over or forgotten,
   * and the result of another when that has finished. Saying the same again does nothing more.
   */
  finish(
    name: string,
    key: string,
    member: LineMember,
    result: Stored,
    keepMs: number,
  ): Promise<{ readonly state: 'kept' } | { readonly state: 'lost' } | KeptResult>;
  /**
   * Ends what `member` has without a result, the right to run or its place in the line, and wakes the one whose turn it
   * is. Returns whether it had the right.
   */
  leave(name: string, key: string, member: LineMember, keepMs: number): Promise<boolean>;
  get(name: string, key: string): Promise<RunRecord>;
  /** Removes the result and the count of attempts, unless somebody runs. Returns whether there was a result. */
  forget(name: string, key: string): Promise<boolean>;
}

/** The topic on which the member `id` is woken, who waits for `key`. */
export function runTopic(name: string, key: string, id: string): string {
  return `run-once:${encodePart(name)}:${encodePart(key)}:${id}`;
}
