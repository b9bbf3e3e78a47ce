import { isCommonholdError } from '../../src/errors.js';
import type { SharedState } from '../../src/shared-state.js';
import { pause, waitUntil } from '../../src/testing/waiting.js';

/** What one feature does again and again, and what it must still know in the end. */
export interface FeatureLoad {
  readonly name: string;
  /** Keys of the feature that the load uses, one for each slot worth moving. */
  readonly keys: readonly string[];
  /** One round of work; throws what a caller would see. Answers that are wrong throw an `Error` of their own. */
  readonly round: (number: number) => Promise<void>;
  /** Acknowledged writes that are gone. */
  readonly lost: () => Promise<readonly unknown[]>;
}

/** Every feature at work in two processes; the second reads what the first writes where that matters. */
export async function featureLoads(one: SharedState, other: SharedState): Promise<FeatureLoad[]> {
  const key = (feature: string, tag: string): string => `${one.namespace}:${feature}:{${tag}}`;
  return [
    cacheLoad(one, other, key),
    counterLoad(one, key),
    uniqueSetLoad(one, key),
    mapLoad(one, other, key),
    await channelLoad(one, other, key),
    sessionLoad(one, other),
    rateLimitLoad(one, key),
    lockLoad(one, other, key),
    runOnceLoad(one, other, key),
    queueLoad(one, other, key),
    presenceLoad(one, other, key),
    ownersLoad(one, key),
  ];
}

/** What callers saw while loads ran. */
export interface LoadReport {
  readonly rounds: number;
  readonly errors: readonly { readonly feature: string; readonly code: string; readonly message: string }[];
}

/** Runs all `loads` side by side while `work` runs. */
export async function runLoads(loads: readonly FeatureLoad[], work: () => Promise<unknown>): Promise<LoadReport> {
  let ended = false;
  let rounds = 0;
  const errors: { feature: string; code: string; message: string }[] = [];
  const running = loads.map(async ({ name, round }) => {
    for (let number = 0; !ended; number++) {
      await round(number).then(
        () => rounds++,
        (error: unknown) => {
          const code = isCommonholdError(error) ? error.code : 'wrong';
          errors.push({ feature: name, code, message: String(error) });
        },
      );
      // A failing call comes back at once: without a pause it would starve everything else.
      await pause(1);
    }
  });
  try {
    await work();
  } finally {
    ended = true;
    await Promise.all(running);
  }
  return { rounds, errors };
}

/** What is lost of what was acknowledged, by feature. */
export async function lostWrites(loads: readonly FeatureLoad[]): Promise<Record<string, readonly unknown[]>> {
  const found = await Promise.all(loads.map(async ({ name, lost }) => [name, await lost()] as const));
  return Object.fromEntries(found.filter(([, lost]) => lost.length > 0));
}

type KeyOf = (feature: string, tag: string) => string;

function expectSame(what: string, expected: unknown, received: unknown): void {
  if (received !== expected) throw new Error(`${what}: ${String(received)} instead of ${String(expected)}`);
}

function cacheLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const cache = one.cache<number>('load');
  const reader = other.cache<number>('load');
  const known = new Map<string, number>();
  return {
    name: 'cache',
    keys: [key('cache', 'load:k0'), key('cache', 'load:k1')],
    round: async (number) => {
      const name = `k${number % 20}`;
      known.delete(name);
      await cache.set(name, number);
      known.set(name, number);
      expectSame('a value just set', number, await reader.get(name));
      await reader.getMany([...known.keys()]);
      await cache.getOrSet(`computed${number % 30}`, () => number);
      if (number % 30 === 29) await cache.clear({ prefix: 'computed' });
    },
    lost: async () => {
      const found = await reader.getMany([...known.keys()]);
      return [...known].filter(([name, value]) => found.get(name) !== value);
    },
  };
}

function counterLoad(one: SharedState, key: KeyOf): FeatureLoad {
  const counter = one.counter('load');
  const daily = one.counter('load-daily', { daily: { keep: '7d' } });
  let sum = 0;
  return {
    name: 'counter',
    keys: [key('counter', 'load'), key('counter', 'load-daily')],
    round: async () => {
      await counter.add();
      sum++;
      await daily.add();
    },
    lost: async () => {
      const total = await counter.get();
      return total >= sum ? [] : [sum - total];
    },
  };
}

function uniqueSetLoad(one: SharedState, key: KeyOf): FeatureLoad {
  const set = one.uniqueSet('load', { ttl: '1h' });
  const members: string[] = [];
  return {
    name: 'unique-set',
    keys: [key('unique-set', 'load')],
    round: async (number) => {
      expectSame('a new member', 1, await set.add(`m${number}`));
      members.push(`m${number}`);
    },
    lost: async () => {
      const held = await set.hasMany(members);
      return members.filter((_, index) => !held[index]);
    },
  };
}

function mapLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const map = one.map<number>('load', { changes: true, ttl: '1h' });
  const second = other.map<number>('load', { changes: true, ttl: '1h' });
  const known = new Map<string, number>();
  let sum = 0;
  return {
    name: 'map',
    keys: [key('map', 'load')],
    round: async (number) => {
      const name = `k${number % 20}`;
      known.delete(name);
      await map.set(name, number);
      known.set(name, number);
      for (const updated of [map, second]) {
        await updated.update('sum', (value = 0) => value + 1);
        sum++;
      }
    },
    lost: async () => {
      const found = await second.getMany(['sum', ...known.keys()]);
      const gone: unknown[] = [...known].filter(([name, value]) => found.get(name) !== value);
      const total = found.get('sum') ?? 0;
      return total >= sum ? gone : [...gone, sum - total];
    },
  };
}

async function channelLoad(one: SharedState, other: SharedState, key: KeyOf): Promise<FeatureLoad> {
  const heard = new Set<string>();
  await other.channel<number>('load', { keepCount: 100_000 }).subscribe((_, id) => void heard.add(id));
  const channel = one.channel<number>('load', { keepCount: 100_000 });
  const published: string[] = [];
  return {
    name: 'channel',
    keys: [key('channel', 'load')],
    round: async (number) => {
      published.push(await channel.publish(number));
    },
    lost: async () => {
      const missing = (): string[] => published.filter((id) => !heard.has(id));
      await waitUntil('messages', () => missing().length === 0, { timeoutMs: 3_000 }).catch(() => undefined);
      return missing();
    },
  };
}

function sessionLoad(one: SharedState, other: SharedState): FeatureLoad {
  const sessions = one.sessions<{ visits: number }>('load');
  const reader = other.sessions<{ visits: number }>('load');
  const live = new Set<string>();
  const ended = new Set<string>();
  return {
    name: 'session',
    keys: [],
    round: async (number) => {
      const { token } = await sessions.create({ user: `u${number % 5}`, data: { visits: 0 } });
      await sessions.update(token, ({ visits = 0 }) => ({ visits: visits + 1 }));
      expectSame('visits', 1, (await reader.read(token)).session?.data.visits);
      live.add(token);
      if (number % 3 !== 0) return;
      live.delete(token);
      await sessions.revoke(token);
      ended.add(token);
      expectSame('a revoked session', undefined, (await reader.read(token)).session);
    },
    lost: async () => {
      const dead: string[] = [];
      for (const token of live) if ((await reader.read(token)).session === undefined) dead.push(token);
      for (const token of ended) if ((await reader.read(token)).session !== undefined) dead.push(token);
      return dead;
    },
  };
}

function rateLimitLoad(one: SharedState, key: KeyOf): FeatureLoad {
  const limit = one.rateLimit('load', '1000000 per day');
  let admitted = 0;
  return {
    name: 'rate-limit',
    keys: [key('rate-limit', 'load:all')],
    round: async () => {
      expectSame('admitted', true, (await limit.consume('all')).allowed);
      admitted++;
    },
    lost: async () => {
      const used = 1_000_000 - (await limit.peek('all')).remaining;
      return used >= admitted ? [] : [admitted - used];
    },
  };
}

function lockLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
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

function runOnceLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
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

function queueLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
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

function presenceLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const presence = one.presence('load');
  const reader = other.presence('load');
  const stays: { readonly id: string }[] = [];
  return {
    name: 'presence',
    keys: [key('presence', 'load')],
    round: async (number) => {
      const stay = await presence.join({ id: `p${number}`, user: 'ada', region: 'a' });
      await stay.move({ region: 'b' });
      expectSame('region', 'b', (await reader.get(stay.id))?.region);
      if (number % 4 === 0) stays.push(stay);
      else await stay.leave();
    },
    lost: async () => {
      const gone: string[] = [];
      for (const { id } of stays) if ((await reader.get(id)) === undefined) gone.push(id);
      return gone;
    },
  };
}

function ownersLoad(one: SharedState, key: KeyOf): FeatureLoad {
  return {
    name: 'owners',
    keys: [key('owners', 'owners')],
    round: async (number) => {
      const hold = await one.owners.hold(`file-${number % 7}`);
      await hold.release();
    },
    lost: async () => [],
  };
}
