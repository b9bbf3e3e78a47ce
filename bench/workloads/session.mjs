import { RedisStore } from 'connect-redis';
import { nodeRedis, stateOn } from '../clients.mjs';
import { inFlight } from '../samples.mjs';

/** @typedef {import('../harness.mjs').Place} Place */

const count = 1000;
const data = { role: 'user', name: 'Ada Lovelace', cart: [1, 2, 3], visits: 0 };

async function commonhold(/** @type {Place} */ place) {
  const state = await stateOn(place);
  const sessions = state.sessions('web', { idle: '30m', absolute: '7d' });
  /** @type {string[]} */
  const tokens = [];
  for (let index = 0; index < count; index++) {
    tokens.push((await sessions.create({ user: `user-${index}`, data })).token);
  }
  return {
    run: async (/** @type {number} */ index) => {
      const token = tokens[index % count];
      await sessions.read(token);
      await sessions.set(token, { visits: index });
    },
    close: () => state.close(),
  };
}

async function connectRedis(/** @type {Place} */ place, /** @type {boolean} */ tuned) {
  const client = await nodeRedis(place, tuned);
  const store = new RedisStore({ client: /** @type {any} */ (client), prefix: 'connect:', ttl: 1800 });
  const cookie = { maxAge: 1_800_000, originalMaxAge: 1_800_000 };
  const ids = Array.from({ length: count }, (_, index) => `session-${index}`);
  for (const id of ids) await store.set(id, /** @type {any} */ ({ cookie, ...data }));
  return {
    run: async (/** @type {number} */ index) => {
      const id = ids[index % count];
      const session = await store.get(id);
      session.visits = index;
      await store.set(id, session);
    },
    close: () => client.close(),
  };
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'session',
  lines: [
    { title: 'read and one changed field, 50 in flight', unit: 'requests/s', goal: '>= 2', sample: inFlight(50) },
    { title: 'read and one changed field, 500 in flight', unit: 'requests/s', goal: '>= 2.8', sample: inFlight(500) },
  ],
  ours: { commonhold },
  peers: { 'connect-redis': (place) => connectRedis(place, false) },
  tuned: { 'connect-redis, no timeout': (place) => connectRedis(place, true) },
};
