import { type Clock, sleep } from '../../clock.js';
import { isCommonholdError, UnavailableError } from '../../errors.js';
import type { ClusterRouter } from './cluster-router.js';
import type { DurableOutcome, DurableStep } from './durable-write.js';
import type { RedisConnection } from './redis-connection.js';
import { slotOf } from './slot.js';

const firstPauseMs = 10;
const longestPauseMs = 80;
/** What a try needs; nearer to its deadline a step is not sent again, so that it certainly did not run. */
const lastTryMs = 30;

/**
 * Runs a durable step where its slot is. A step that a node refused certainly did not run, and is tried again until its
 * deadline. So is one that may run twice, when it ran and its confirmation was cut off, as a master does that steps down:
 * what the second run finds done is confirmed with it. All else is the caller's, as it is.
 */
export async function runDurablyInCluster(router: ClusterRouter, clock: Clock, step: DurableStep): Promise<unknown> {
  const { operation, dueAtMs } = step;
  let ran: DurableOutcome | undefined;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
    const node = router.table.at(slotOf(step.keys[0] ?? ''));
    const onceMore = (): boolean => dueAtMs - clock.monotonic() - pauseMs >= lastTryMs;
    try {
      const outcome = await runOn(node, step, router.failure);
      const { unconfirmed, cutOff } = outcome;
      if (unconfirmed === undefined) return (operation.firstAnswerCounts ? (ran ?? outcome) : outcome).reply;
      if (!cutOff || operation.kind !== 'idempotent' || !onceMore()) throw unconfirmed;
      ran ??= outcome;
    } catch (error) {
      // What ran once is not undone by a second run that is refused.
      if (!wasRefused(router, error, node) || !onceMore()) throw ran?.unconfirmed ?? error;
    }
    await sleep(clock, pauseMs, undefined, { keepAlive: true });
  }
}

async function runOn(node: RedisConnection | undefined, step: DurableStep, failure: string): Promise<DurableOutcome> {
  if (node !== undefined) return node.wire.runDurably(step);
  throw new UnavailableError(step.operation.name, failure || 'no node serves its slot');
}

function wasRefused(router: ClusterRouter, error: unknown, node: RedisConnection | undefined): boolean {
  const cause = isCommonholdError(error) && error.code === 'Unavailable' ? error.cause : undefined;
  return node !== undefined && router.heed(cause, node.host) !== undefined;
}
