import { InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { OperationOptions } from '../operation-id.js';
import type { HitOptions } from './hit-options.js';
import { type RateLimitVerdict, summary } from './verdict.js';

/** Which hit to take back. */
export type RefundOptions = Pick<HitOptions, 'rule'> & OperationOptions;

/** What {@link consumeAll} asks of a `RateLimit`. */
export interface Refundable {
  consume(subject: string, options: HitOptions & OperationOptions): Promise<RateLimitVerdict>;
  refusal(subject: string, options: HitOptions): RateLimitVerdict | undefined;
  refund(subject: string, verdict: RateLimitVerdict, options: RefundOptions): Promise<boolean>;
}

/** One of the hits that stand or fall together. */
export interface LimitedHit extends HitOptions, OperationOptions {
  /** A `RateLimit`. */
  readonly limit: Refundable;
  readonly subject: string;
}

/**
 * Counts a hit under several limits, each with a subject of its own, such as an address and an account: under all, or
 * under none. The subjects may live on different nodes of a cluster, so these are two steps: all are asked at once, in one
 * trip, unless one is known to refuse; when one refuses, those that admitted are refunded in a second. Between the two another hit may be refused for
 * room that is about to be given back; none is ever admitted too many.
 *
 * With an `operationId`, the same for all or one for each, it may be done again after an outcome that is unknown: each limit
 * counts it once.
 *
 * The verdict names the rules of all limits. When the store cannot do one of the steps, this rejects as `consume` does;
 * what could not be given back then stays used until time gives it back.
 */
export async function consumeAll(hits: readonly LimitedHit[]): Promise<RateLimitVerdict> {
  const [only] = hits;
  if (only === undefined) throw new InvalidArgumentError('consumeAll', 'at least one hit', 'none');
  if (hits.length === 1) return consumeOne(only);
  const known = hits.flatMap(knownRefusal);
  if (known.length > 0) return together(known);
  const outcomes = await Promise.allSettled(hits.map(consumeOne));
  const verdicts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure === undefined && verdicts.every(({ allowed }) => allowed)) return together(verdicts);
  await refundAll(hits, outcomes);
  if (failure !== undefined) throw failure.reason;
  return together(verdicts);
}

// What an operation was answered before, only the store knows.
function knownRefusal({ limit, subject, operationId, ...options }: LimitedHit): RateLimitVerdict | [] {
  return operationId === undefined ? (limit.refusal(subject, options) ?? []) : [];
}

async function consumeOne({ limit, subject, ...options }: LimitedHit): Promise<RateLimitVerdict> {
  return limit.consume(subject, options);
}

async function refundAll(
  hits: readonly LimitedHit[],
  outcomes: readonly PromiseSettledResult<RateLimitVerdict>[],
): Promise<void> {
  const refunds = hits.map(async ({ limit, subject, rule, operationId }, index) => {
    const outcome = outcomes[index];
    if (outcome?.status !== 'fulfilled' || !outcome.value.allowed) return;
    const hit = operationId === undefined ? {} : { operationId };
    await limit.refund(subject, outcome.value, rule === undefined ? hit : { ...hit, rule });
  });
  for (const refund of await Promise.allSettled(refunds)) {
    // The refusal stands whether or not the others could be given back.
    if (refund.status === 'rejected' && !isCommonholdError(refund.reason)) throw refund.reason;
  }
}

function together(verdicts: readonly RateLimitVerdict[]): RateLimitVerdict {
  const refusals = verdicts.filter(({ allowed }) => !allowed);
  const denied = refusals.find(({ reason }) => reason === 'denied');
  if (denied !== undefined) return denied;
  const [first] = verdicts;
  const policies = verdicts.flatMap((verdict) => verdict.policies);
  const { reason } = refusals.find((verdict) => verdict.reason === 'blocked') ?? refusals[0] ?? { reason: undefined };
  const verdict = summary({
    allowed: refusals.length === 0,
    reason,
    weight: first?.weight ?? 1,
    atMs: first?.atMs ?? 0,
    policies,
  });
  return verdicts.some(({ local }) => local) ? { ...verdict, local: true } : verdict;
}
