import type { Meter } from '../../src/rate-limit/rate-limit-port.js';
import type { RateLimitRule } from '../../src/rate-limit/rule.js';
import type { Queue } from '../../src/queue/queue.js';
import type { SharedState } from '../../src/shared-state.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';
import { expectSame, type FeatureLoad, type KeyOf } from './load.js';

/** One of each algorithm; a further one does not compile without. */
const rules: Readonly<Record<Meter['kind'], RateLimitRule>> = {
  'fixed-window': '1000000 per day',
  'sliding-window': { algorithm: 'sliding-window', limit: 1_000_000, window: '1d' },
  'token-bucket': { algorithm: 'token-bucket', capacity: 1_000_000, refill: 1_000_000, every: '1d' },
  gcra: { algorithm: 'gcra', limit: 100, window: '1d', burst: 1_000_000 },
};

export function rateLimitLoad(one: SharedState, key: KeyOf): FeatureLoad {
  const kinds = Object.entries(rules).map(([kind, rule]) => ({ kind, limit: one.rateLimit(`load-${kind}`, rule) }));
  const all = one.rateLimit('load-all', Object.values(rules));
  const admitted = new Map<string, number>();
  return {
    name: 'rate-limit',
    keys: kinds.map(({ kind }) => key('rate-limit', `load-${kind}:all`)),
    round: async () => {
      await Promise.all(
        kinds.map(async ({ kind, limit }) => {
          expectSame(kind, true, (await limit.consume('all')).allowed);
          admitted.set(kind, (admitted.get(kind) ?? 0) + 1);
        }),
      );
      expectSame('all rules', true, (await all.consume('all')).allowed);
    },
    lost: async () => {
      const gone: unknown[] = [];
      for (const { kind, limit } of kinds) {
        const used = 1_000_000 - (await limit.peek('all')).remaining;
        const missing = (admitted.get(kind) ?? 0) - used;
        if (missing > 0) gone.push({ kind, missing });
      }
      return gone;
    },
  };
}

export function concurrencyLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const limits = [one, other].map((state) => state.concurrency('load', 2));
  let held = 0;
  return {
    name: 'concurrency',
    keys: [key('concurrency', 'load:all')],
    round: async () => {
      const work = async (limit: (typeof limits)[number]): Promise<void> => {
        const slot = await limit.acquire('all', { wait: '10s' });
        held++;
        const now = held;
        await pause(1);
        held--;
        const lost = slot?.signal.aborted;
        await slot?.release();
        if (slot === undefined) throw new Error('no slot came free');
        if (!lost && now > 2) throw new Error(`${now} slots of 2 are held`);
      };
      await Promise.all([...limits, ...limits].map(work));
    },
    lost: async () => [],
  };
}

export function lockLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const locks = [one, other].map((state) => state.lock('load', { lease: '5s' }));
  let inside = 0;
  let token = 0;
  const hold = async (lock: (typeof locks)[number]): Promise<void> =>
    lock.run(
      async ({ guard, signal }) => {
        inside++;
        const others = inside - 1;
        const earlier = token;
        token = Number(guard.token);
        await pause(1);
        inside--;
        // A holder whose lease could not be renewed is told so, and is none.
        if (signal.aborted) return;
        expectSame('other holders', 0, others);
        if (token <= earlier) throw new Error('the token of the lock did not grow');
      },
      { wait: '10s' },
    );
  return {
    name: 'lock',
    keys: [key('lock', 'load')],
    round: async () => void (await Promise.all(locks.map(hold))),
    lost: async () => [],
  };
}

export function runOnceLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const runs = [one, other].map((state) => state.runOnce<number>('load'));
  const done = new Map<string, number>();
  return {
    name: 'run-once',
    keys: [key('run-once', 'load:r0'), key('run-once', 'load:r5')],
    round: async (number) => {
      let count = 0;
      const name = `r${number}`;
      const results = await Promise.all(runs.map((run) => run.run(name, () => ++count)));
      expectSame('runs', 1, count);
      done.set(name, results[0] ?? 0);
    },
    lost: async () => {
      const gone: string[] = [];
      for (const name of done.keys()) if ((await runs[0]?.get(name))?.status !== 'done') gone.push(name);
      return gone;
    },
  };
}

export function queueLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const queue = one.queue<number>('load', { attempts: 10 });
  const ran = new Set<string>();
  other.queue<number>('load', { attempts: 10 }).work(({ id }) => void ran.add(id), { concurrency: 4 });
  const added: string[] = [];
  return {
    name: 'queue',
    keys: [key('queue', 'load')],
    round: async (number) => {
      const jobs = [0, 1, 2].map((priority) => ({ data: number, priority, topic: `t${number % 3}` }));
      added.push(...(await queue.addMany(jobs)).map(({ id }) => id));
    },
    lost: async () => {
      const missing = (): string[] => added.filter((id) => !ran.has(id));
      // Longer than the lease of jobs that a worker took and never heard of.
      await waitUntil('jobs', () => missing().length === 0, { timeoutMs: 9_000 }).catch(() => undefined);
      return missing();
    },
  };
}

/** Durable jobs, which no death of a master loses. */
export function durableQueueLoad(one: SharedState, key: KeyOf): FeatureLoad {
  const queues = [0, 1, 2].map((number) => ({
    name: `durable${number}`,
    queue: one.queue<number>(`durable${number}`),
  }));
  const added: { readonly id: string; readonly queue: Queue<number> }[] = [];
  return {
    name: 'durable queue',
    keys: queues.map(({ name }) => key('queue', name)),
    round: async (number) => {
      await Promise.all(
        queues.map(async ({ queue }) => {
          const { id } = await queue.add(number, { durable: true });
          added.push({ id, queue });
        }),
      );
    },
    lost: async () => {
      const gone: string[] = [];
      for (const { id, queue } of added) if ((await queue.get(id)) === undefined) gone.push(id);
      return gone;
    },
  };
}

/** Durable locks, which nobody else gets when a master dies. */
export function durableLockLoad(one: SharedState, other: SharedState): FeatureLoad {
  const held: string[] = [];
  return {
    name: 'durable lock',
    keys: [],
    round: async (number) => {
      const name = `durable${number}`;
      // Fewer than would keep the load busy with renewing.
      if (number < 100) expectSame('the lock', true, (await one.lock(name, durableLock).tryAcquire()) !== undefined);
      if (number < 100) held.push(name);
      else await pause(20);
    },
    lost: async () => {
      const free: string[] = [];
      for (const name of held) if (!(await other.lock(name).status()).held) free.push(name);
      return free;
    },
  };
}

const durableLock = { durable: true, lease: '60s' } as const;

/** Durable revocations, which no death of a master takes back. */
export function durableSessionLoad(one: SharedState, other: SharedState): FeatureLoad {
  const sessions = one.sessions('durable');
  const ended: string[] = [];
  return {
    name: 'durable session',
    keys: [],
    round: async (number) => {
      const { token } = await sessions.create({ user: `u${number}` });
      if (await sessions.revoke(token, { durable: true })) ended.push(token);
    },
    lost: async () => {
      const back: string[] = [];
      const reader = other.sessions('durable');
      for (const token of ended) if ((await reader.read(token)).session !== undefined) back.push(token);
      return back;
    },
  };
}
