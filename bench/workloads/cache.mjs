import KeyvRedis, { createClient } from '@keyv/redis';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import { stateOn } from '../clients.mjs';
import { bytesEach, inFlight, sequential } from '../samples.mjs';

/** @typedef {import('../harness.mjs').Place} Place */

const keys = Array.from({ length: 1000 }, (_, index) => `entry-${index}`);
const key = (/** @type {number} */ index) => keys[index % 1000];
/** 200 bytes as JSON. */
const value = { id: 1, name: 'An entry of the cache', text: 'x'.repeat(155) };

/** The members that the lines use, of anything with get and set. */
function subject(
  /** @type {(key: string) => unknown} */ get,
  /** @type {(key: string) => unknown} */ set,
  /** @type {() => unknown} */ close,
) {
  const fill = (/** @type {number} */ count) => batched(count, (index) => set(`full-${index}`));
  return {
    get: { run: (/** @type {number} */ index) => get(key(index)) },
    set: { run: (/** @type {number} */ index) => set(key(index)) },
    fill,
    prepare: () => batched(1000, (index) => set(key(index))),
    close,
  };
}

async function batched(/** @type {number} */ count, /** @type {(index: number) => unknown} */ work) {
  for (let start = 0; start < count; start += 500) {
    await Promise.all(Array.from({ length: Math.min(500, count - start) }, (_, index) => work(start + index)));
  }
}

async function commonhold(/** @type {Place} */ place) {
  const state = await stateOn(place);
  const cache = state.cache('pages', { ttl: '1h' });
  const near = state.cache('near', { ttl: '1h', near: true });
  await Promise.all(keys.map((name) => near.set(name, value)));
  await Promise.all(keys.map((name) => near.get(name)));
  return {
    ...subject(
      (name) => cache.get(name),
      (name) => cache.set(name, value),
      () => state.close(),
    ),
    local: { run: (/** @type {number} */ index) => near.get(key(index)) },
  };
}

async function keyv(/** @type {Place} */ { url }, /** @type {object} */ options = {}) {
  const store = new Keyv({
    store: new KeyvRedis(createClient({ url, ...options })),
    namespace: 'pages',
    ttl: 3_600_000,
  });
  return subject(
    (name) => store.get(name),
    (name) => store.set(name, value),
    () => store.disconnect(),
  );
}

async function bento(/** @type {Place} */ { url }) {
  const connection = new Redis(url);
  const shared = bentostore().useL2Layer(redisDriver({ connection }));
  const local = bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 }));
  const bentocache = new BentoCache({ default: 'shared', stores: { shared, local }, ttl: '1h' });
  const near = bentocache.use('local');
  for (const name of keys) await near.set({ key: name, value });
  return {
    ...subject(
      (name) => bentocache.get({ key: name }),
      (name) => bentocache.set({ key: name, value }),
      () => bentocache.disconnectAll(),
    ),
    local: { run: (/** @type {number} */ index) => near.get({ key: key(index) }) },
  };
}

async function prepared(/** @type {any} */ subject, /** @type {Place} */ place, /** @type {number} */ lanes) {
  await subject.prepare();
  return inFlight(lanes)(subject.get, place);
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'cache',
  lines: [
    {
      title: 'local hit',
      unit: 'ops/s',
      goal: '>= 5',
      against: ['bentocache'],
      sample: ({ local }, place) => sequential(local, place),
    },
    {
      title: 'get from Redis, 50 in flight',
      unit: 'ops/s',
      goal: '>= 2.2',
      sample: (it, place) => prepared(it, place, 50),
    },
    {
      title: 'get from Redis, 500 in flight',
      unit: 'ops/s',
      goal: '>= 3',
      sample: (it, place) => prepared(it, place, 500),
    },
    { title: 'set, 50 in flight', unit: 'ops/s', goal: '>= 2.5', sample: ({ set }, place) => inFlight(50)(set, place) },
    {
      title: 'set, 500 in flight',
      unit: 'ops/s',
      goal: '>= 2.5',
      sample: ({ set }, place) => inFlight(500)(set, place),
    },
    { title: 'memory of a 200-byte entry', unit: 'bytes', goal: '<= 0.85', sample: bytesEach(5000) },
  ],
  ours: { commonhold },
  peers: { bentocache: bento, keyv },
  tuned: { 'keyv, no timeout': (place) => keyv(place, { commandOptions: { timeout: 0 } }) },
};
