import assert from 'node:assert/strict';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { waitUntil } from './waiting.js';

/** A call that waits until its signal aborts. */
type Waits = (signal: AbortSignal) => Promise<unknown>;

const never = (): Promise<never> => new Promise(() => undefined);

/** What every call that waits does with a signal. */
export function abortConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'signals', (test) => {
    for (const [name, prepare] of Object.entries(calls)) {
      test(`${name}: heeds one that has aborted, or does so while it waits, and leaves it`, async (engine) => {
        const waits = await prepare(engine);
        const reason = new Error('no longer wanted');
        await assert.rejects(waits(AbortSignal.abort(reason)), reason);

        const watched = watchedSignal();
        // More than Node lets listen without a warning.
        const waiting = Array.from({ length: 12 }, () => waits(watched.signal));
        const ended = Promise.allSettled(waiting);
        await waitUntil('somebody to wait', () => watched.listening > 0);
        watched.abort(reason);
        for (const outcome of await ended) assert.equal(outcome.status === 'rejected' && outcome.reason, reason);
        assert.deepEqual([watched.mostAtOnce, watched.listening], [1, 0]);
      });
    }
  });
}

const calls: Readonly<Record<string, (engine: Engine) => Promise<Waits>>> = {
  'lock, acquire': async (engine) => {
    await (await engine.open()).lock('l').acquire();
    const lock = (await engine.open()).lock('l');
    return (signal) => lock.acquire({ signal });
  },
  'lock, run': async (engine) => {
    await (await engine.open()).lock('l').acquire();
    const lock = (await engine.open()).lock('l');
    return (signal) => lock.run(() => assert.fail('it is held'), { signal, wait: '1h' });
  },
  'run-once': async (engine) => {
    const other = (await engine.open()).runOnce<void>('r');
    // Ends with the state, which tells it to.
    other
      .run('k', ({ signal }) => new Promise((end) => signal.addEventListener('abort', () => end())))
      .catch(() => undefined);
    const runs = (await engine.open()).runOnce<void>('r');
    await waitUntil('the other to run', async () => (await runs.get('k')).status === 'running');
    return (signal) => runs.run('k', () => assert.fail('another runs it'), { signal });
  },
  concurrency: async (engine) => {
    const slots = (await engine.open()).concurrency('c', 1);
    await slots.acquire('ada');
    return (signal) => slots.acquire('ada', { wait: '1h', signal });
  },
  'rate limit': async (engine) => {
    const limit = (await engine.open()).rateLimit('r', '1 per day');
    await limit.consume('ada');
    return (signal) => limit.consume('ada', { wait: '7d', signal });
  },
  'queue, waitFor': async (engine) => {
    const queue = (await engine.open()).queue<number>('q');
    const { id } = await queue.add(1);
    return (signal) => queue.waitFor(id, { signal });
  },
  'queue, result': async (engine) => {
    const job = await (await engine.open()).queue<number>('q').add(1);
    return (signal) => job.result({ signal });
  },
  'cache, getOrSet': async (engine) => {
    const cache = (await engine.open()).cache<number>('c');
    return (signal) => cache.getOrSet('k', never, { signal });
  },
};

/** A signal that tells how many listen to it. */
function watchedSignal(): {
  readonly signal: AbortSignal;
  readonly listening: number;
  readonly mostAtOnce: number;
  abort(reason: Error): void;
} {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  let mostAtOnce = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...listening: Parameters<typeof add>): void => {
    listeners.add(listening[1]);
    mostAtOnce = Math.max(mostAtOnce, listeners.size);
    add(...listening);
  };
  signal.removeEventListener = (...left: Parameters<typeof remove>): void => {
    listeners.delete(left[1]);
    remove(...left);
  };
  return {
    signal,
    get listening() {
      return signal.aborted ? 0 : listeners.size;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    abort: (reason) => controller.abort(reason),
  };
}
