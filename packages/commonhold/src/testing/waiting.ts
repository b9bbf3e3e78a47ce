import assert from 'node:assert/strict';
import { systemClock } from '../clock.js';

/** Waits `ms` of real time. Unlike `sleep`, it keeps the process alive: a test may be waiting for nothing else. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.setTimer(resolve, ms, { keepAlive: true }));
}

/** Resolves after input that has already arrived was handled, and after every promise reaction that was due. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => systemClock.afterPoll(resolve));
}

/** How long and how often {@link waitUntil} looks. */
export interface WaitOptions {
  /** When to give up, in milliseconds of real time. Default 5,000. */
  readonly timeoutMs?: number;
  /** Pause between two looks, in milliseconds. Default 10. */
  readonly everyMs?: number;
}

/**
 * Looks until `condition` holds. For effects that a real server, socket or process has when it pleases.
 *
 * @param what completes the sentence "waited 5000 ms for ..." of the error; a function is asked when time is up.
 * @throws AssertionError when time is up, and whatever `condition` throws.
 */
export async function waitUntil(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  options: WaitOptions = {},
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 5000;
  const startedAtMs = systemClock.monotonic();
  while (!(await condition())) {
    if (systemClock.monotonic() - startedAtMs >= timeoutMs) {
      assert.fail(`waited ${timeoutMs} ms for ${typeof what === 'string' ? what : what()}`);
    }
    await pause(options.everyMs ?? 10);
  }
}

/** Looks until `assertion` no longer throws; when time is up, throws what it threw last. */
export async function eventually(assertion: () => void | Promise<void>, options: WaitOptions = {}): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 5000;
  const startedAtMs = systemClock.monotonic();
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (systemClock.monotonic() - startedAtMs >= timeoutMs) throw error;
      await pause(options.everyMs ?? 10);
    }
  }
}
