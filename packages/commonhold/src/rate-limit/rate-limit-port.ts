import type { Operation } from '../operation-id.js';

/** The largest Integer of RFC 9651, so that headers can say it; far inside what numbers hold exactly. */
export const largestLimit = 999_999_999_999_999;

/**
 * Use that time gives back in steps. A hit costs `unit` for each unit of its weight and is admitted while no more than
 * `capacity` is in use; after every `everyMs`, counted from the hit that found it empty, `refill` is given back.
 *
 * A fixed window gives everything back at its end. A token bucket gives some back at each step. GCRA gives back every
 * millisecond, in shares of a unit: `unit` is its window in milliseconds and `refill` its limit, so that all stay whole.
 */
export interface Bucket {
  readonly kind: 'fixed-window' | 'token-bucket' | 'gcra';
  /** A whole number below 2^53, as are all below. */
  readonly capacity: number;
  readonly unit: number;
  readonly refill: number;
  readonly everyMs: number;
  /** What tells its count from those of other rules on one subject. */
  readonly spanMs: number;
}

/**
 * At most `capacity` units in any `spanMs`. Hits of one `grainMs` are kept together and count until the last of them is
 * `spanMs` old, so that a subject costs no more than about 60 numbers whatever its limit.
 */
export interface SlidingWindow {
  readonly kind: 'sliding-window';
  readonly capacity: number;
  readonly spanMs: number;
  readonly grainMs: number;
}

/** One rule on a subject. */
export type Meter = Bucket | SlidingWindow;

/** How one meter stands, after the hit if it was admitted. */
export interface MeterReading {
  /** Whole units left. */
  readonly remaining: number;
  /** Milliseconds until nothing is in use any more. */
  readonly resetMs: number;
  /** Milliseconds after which this meter would admit the hit; 0 when it does. */
  readonly retryAfterMs: number;
}

/** The answer to a hit, or to the question what a hit would be answered. */
export interface Reading {
  readonly allowed: boolean;
  /** The store's time of the answer. */
  readonly atMs: number;
  /** Milliseconds until the subject's block ends; 0 when there is none. */
  readonly blockedMs: number;
  /** One for each meter, in their order. */
  readonly meters: readonly MeterReading[];
  /** The store was away: this process answered for its share alone. */
  readonly local?: true;
}

/**
 * The contract of the two limiter twins. Each method is one atomic step on one subject under one or several meters. No
 * two meters of a call have kind and span in common; meters of one kind and span share what they count. Time is the
 * store's.
 */
export interface RateLimitPort {
  /**
   * Counts a hit of `weight` units in every meter, if the subject is not blocked and the hit fits into each. A hit that
   * does not changes nothing, and prolongs nothing. No meter has room for less than `weight` when empty.
   */
  consume(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading>;
  /**
   * As {@link consume}, unless `operation` was admitted for this subject within the time it is remembered: then it gives the
   * answer of that time. A refusal is not remembered. Rejects with `InvalidArgument` when its id was given to a hit of another
   * weight or under other meters.
   */
  consumeOnce(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    operation: Operation,
  ): Promise<Reading>;
  /** What such a hit would be answered. Changes nothing. */
  peek(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading>;
  /**
   * Takes back a hit that was admitted at `atMs`, as far as time has not given back as much since. Never makes room that
   * would not be there had the hit not come. Returns whether anything was given back.
   */
  refund(limiter: string, subject: string, meters: readonly Meter[], weight: number, atMs: number): Promise<boolean>;
  /**
   * As {@link refund}, of a hit that {@link consumeOnce} admitted and remembers; forgets the operation, so that it is taken
   * back once.
   */
  refundOnce(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    atMs: number,
    operationId: string,
  ): Promise<boolean>;
  /** Has every hit of the subject refused for `durationMs`, in place of an earlier block. */
  block(limiter: string, subject: string, durationMs: number): Promise<void>;
  /** Forgets what the subject used under `meters`, and its block; returns whether there was anything. */
  reset(limiter: string, subject: string, meters: readonly Meter[]): Promise<boolean>;
}

/** How a meter's count is told apart from those of other rules on the same subject. */
export function meterSuffix(meter: Meter): string {
  return `:${meter.kind}:${meter.spanMs}`;
}

/** What tells a hit from another that its operation's id must not stand for. Without spaces. */
export function hitName(meters: readonly Meter[], weight: number): string {
  return `${weight}${meters.map(meterSuffix).join('')}`;
}

/** How errors name a hit. */
export function consumeCall(limiter: string): string {
  return `rate limit ${limiter}, consume`;
}

/** How a subject of a limiter is named in a message that tells processes to forget what they know of it. */
export function subjectName(limiter: string, subject: string): string {
  return `${limiter.length}:${limiter}${subject}`;
}
