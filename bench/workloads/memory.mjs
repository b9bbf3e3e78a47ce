import { Mutex } from 'async-mutex';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { stateInMemory } from '../clients.mjs';
import { metered, sequential } from '../samples.mjs';

/** @typedef {import('../harness.mjs').Place} Place */

const names = Array.from({ length: 1000 }, (_, index) => `name-${index}`);
const name = (/** @type {number} */ index) => names[index % 1000];
const value = { id: 1, name: 'An entry' };

async function commonhold() {
  const state = await stateInMemory();
  const cache = state.cache('pages', { ttl: '1h' });
  const limiter = state.rateLimit('all', '1000000000 per hour');
  const locks = names.map((each) => state.lock(each));
  for (const each of names) await cache.set(each, value);
  return {
    get: { run: (/** @type {number} */ index) => cache.get(name(index)) },
    limit: { run: (/** @type {number} */ index) => limiter.consume(name(index)) },
    lock: {
      run: async (/** @type {number} */ index) => {
        const held = await locks[index % 1000]?.tryAcquire();
        await held?.release();
      },
    },
    jobs: (/** @type {Place} */ place) => oneQueue(place, state, 20_000),
    close: () => state.close(),
  };
}

/** Jobs a second that are added and processed. */
async function oneQueue(
  /** @type {Place} */ place,
  /** @type {Awaited<ReturnType<typeof stateInMemory>>} */ state,
  /** @type {number} */ count,
) {
  const queue = state.queue('jobs', { keepCompleted: 0 });
  let left = count;
  /** @type {() => Promise<void>} */
  let stop = async () => {};
  const rate = await metered(place, async () => {
    await queue.addMany(Array.from({ length: count }, () => ({ data: value })));
    await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const handler = async () => {
        left -= 1;
        if (left === 0) resolve();
      };
      const worker = queue.work(handler, { concurrency: 100 });
      stop = () => worker.close();
    });
    return count;
  });
  await stop();
  return rate;
}

async function lruCache() {
  const cache = new LRUCache({ max: 10_000, ttl: 3_600_000 });
  for (const each of names) cache.set(each, value);
  return { get: { run: (/** @type {number} */ index) => cache.get(name(index)) } };
}

async function flexible() {
  const limiter = new RateLimiterMemory({ points: 1_000_000_000, duration: 3600 });
  return { limit: { run: (/** @type {number} */ index) => limiter.consume(name(index)) } };
}

async function asyncMutex() {
  const locks = names.map(() => new Mutex());
  return {
    lock: {
      run: async (/** @type {number} */ index) => {
        const release = await locks[index % 1000]?.acquire();
        release?.();
      },
    },
  };
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'in memory',
  lines: [
    {
      title: 'cache get',
      unit: 'ops/s',
      goal: '>= 0.5',
      against: ['lru-cache'],
      sample: ({ get }, place) => sequential(get, place),
    },
    {
      title: 'rate limit',
      unit: 'hits/s',
      goal: '>= 0.5',
      against: ['rate-limiter-flexible'],
      sample: ({ limit }, place) => sequential(limit, place),
    },
    {
      title: 'lock and release',
      unit: 'locks/s',
      goal: '>= 0.5',
      against: ['async-mutex'],
      sample: ({ lock }, place) => sequential(lock, place),
    },
    {
      title: 'queue, add and process',
      unit: 'jobs/s',
      goal: '>= 500000',
      against: [],
      sample: ({ jobs }, place) => jobs(place),
    },
  ],
  ours: { commonhold },
  peers: { 'lru-cache': lruCache, 'rate-limiter-flexible': flexible, 'async-mutex': asyncMutex },
};
