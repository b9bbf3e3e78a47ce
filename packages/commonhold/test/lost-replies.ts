import { onTestFinished } from 'vitest';
import { isCommonholdError } from '../src/errors.js';
import { openState } from '../src/open-state.js';
import type { SharedState } from '../src/shared-state.js';
import { startFaultProxy } from '../src/testing/fault-proxy.js';
import type { RedisServer } from '../src/testing/redis-server.js';
import { pause } from '../src/testing/waiting.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const [calls, batch, faults] = [2_000, 20, 20];

/** How 2,000 calls went, of whose replies at least 20 were lost. */
export interface LossyRun {
  /** Of which the caller could not know whether they had happened. */
  readonly unknown: number;
}

/**
 * Does 2,000 `call`s against a server that answers 20 of them by cutting the connection after it ran them. Each is done
 * again until it succeeds, as an application would. Calls of one batch are under way together.
 */
export async function runLossy(
  server: RedisServer,
  namespace: string,
  prepare: (state: SharedState) => (n: number) => Promise<unknown>,
): Promise<LossyRun> {
  const proxy = await startFaultProxy({ port: server.port });
  const state = await openState({ namespace, redis: `redis://127.0.0.1:${proxy.port}`, log });
  onTestFinished(async () => {
    await state.close();
    await proxy.stop();
  });
  const call = prepare(state);
  let unknown = 0;
  const insist = async (n: number): Promise<void> => {
    for (;;) {
      try {
        return void (await call(n));
      } catch (error) {
        if (!isCommonholdError(error) || !['OutcomeUnknown', 'Unavailable'].includes(error.code)) throw error;
        if (error.code === 'OutcomeUnknown') unknown += 1;
        await pause(10);
      }
    }
  };
  for (let first = 0; first < calls; first += batch) {
    if ((first / batch) % (calls / batch / faults) === 0) proxy.dropReplyThenReset();
    await Promise.all(Array.from({ length: batch }, (_, n) => insist(first + n)));
  }
  return { unknown };
}
