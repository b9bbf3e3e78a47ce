import type { Clock } from './clock.js';

/** Closing waits this long for work that was told to stop. */
const graceMs = 5_000;

/** Resolves when `work` has settled, or after 5 s. */
export function withinGrace(clock: Clock, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(resolve, graceMs, { keepAlive: true });
    void Promise.allSettled([work]).then(() => {
      timer.cancel();
      resolve();
    });
  });
}
