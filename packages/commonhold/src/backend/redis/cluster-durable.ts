import { type Clock, sleep } from '../../clock.js';
import { isCommonholdError, UnavailableError } from '../../errors.js';
import type { ClusterRouter } from './cluster-router.js';
import type { DurableStep } from './durable-write.js';
import { slotOf } from './slot.js';

const firstPauseMs = 10;
const longestPauseMs = 80;
/** What a try needs; nearer to its deadline a step is not sent again, so that it certainly did not run. */
const lastTryMs = 30;

/**
 * Runs a durable step where its slot is. A step that a node refused certainly did not run, and is tried again until its
 * deadline; all else is the caller's, as it is.
 */
export async function runDurablyInCluster(router: ClusterRouter, clock: Clock, step: DurableStep): Promise<unknown> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
    const node = router.table.at(slotOf(step.keys[0] ?? ''));
    if (node === undefined)
      throw new UnavailableError(step.operation.name, router.failure || 'no node serves its slot');
    try {
      return await node.wire.runDurably(step);
    } catch (error) {
      const refusedWith = isCommonholdError(error) && error.code === 'Unavailable' ? error.cause : undefined;
      const refused = router.heed(refusedWith, node.host);
      if (refused === undefined || step.dueAtMs - clock.monotonic() - pauseMs < lastTryMs) throw error;
    }
    await sleep(clock, pauseMs, undefined, { keepAlive: true });
  }
}
