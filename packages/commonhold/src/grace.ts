import type { Clock } from './clock.js';

/** Closing waits this long for work that was told to stop. */
export const closeGraceMs = 5_000;

/** Resolves when `work` has settled, with true, or after `graceMs`, 5 s unless told otherwise, with false. */
export function withinGrace(clock: Clock, work: Promise<unknown>, graceMs: number = closeGraceMs): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(() => resolve(false), graceMs, { keepAlive: true });
    void Promise.allSettled([work]).then(() => {
      timer.cancel();
      resolve(true);
    });
  });
}
