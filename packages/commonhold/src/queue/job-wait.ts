import { type Duration, durationMs } from '../duration.js';
import type { FeatureContext } from '../feature-context.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { doneTopic, type QueueAddress, type QueuePort, type StoredJob } from './queue-port.js';

/** How long to wait for a job to end. */
export interface JobWaitOptions {
  /** At most this long, and one call to the store more. Default: without bound. */
  readonly wait?: Duration;
  /** Ends the waiting; the call then rejects with its reason. The job is not touched. */
  readonly signal?: AbortSignal;
}

/** Where it is waited. */
export interface JobWaitPlace {
  readonly address: QueueAddress;
  readonly port: QueuePort;
  readonly context: FeatureContext;
}

const waitNames = { wait: true, signal: true } satisfies OptionNames<JobWaitOptions>;

/**
 * The job once it has ended; undefined when there is none, `waits` when it has not ended in time. Woken by the step that
 * ends it, with K5's timer for a lost message.
 */
export async function jobEnd(
  { address, port, context }: JobWaitPlace,
  id: string,
  options: JobWaitOptions,
): Promise<StoredJob | 'waits' | undefined> {
  checkOptionNames('queue waitFor', options, waitNames);
  const { signal } = options;
  const { clock, wakes, owner } = context;
  const waitMs = options.wait === undefined ? Infinity : durationMs(options.wait, 'job wait');
  const endsAtMs = clock.monotonic() + waitMs;
  const waiter = wakes.listen(doneTopic(address, id));
  try {
    for (;;) {
      signal?.throwIfAborted();
      const found = await port.awaitEnd(address, id, owner.id);
      const leftMs = endsAtMs - clock.monotonic();
      if (found !== 'waits' || leftMs <= 0) return found;
      await waiter.wait(leftMs === Infinity ? undefined : leftMs, signal);
    }
  } finally {
    waiter.close();
  }
}
