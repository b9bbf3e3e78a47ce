import { RedisStore } from 'rate-limit-redis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { nodeRedis, stateOn } from '../clients.mjs';
import { inFlight } from '../samples.mjs';

/** @typedef {import('../harness.mjs').Place} Place */

const subjects = Array.from({ length: 1000 }, (_, index) => `203.0.113.${index}`);
const subject = (/** @type {number} */ index) => subjects[index % 1000];

/** The members that the lines use: `free` admits, `blocked` has refused every subject before. */
async function member(
  /** @type {(subject: string) => Promise<unknown>} */ hit,
  /** @type {(subject: string) => Promise<unknown>} */ refused,
  /** @type {() => unknown} */ close,
) {
  for (let round = 0; round < 3; round++) await Promise.all(subjects.map((name) => refused(name)));
  return {
    free: { run: (/** @type {number} */ index) => hit(subject(index)) },
    blocked: { run: (/** @type {number} */ index) => refused(subject(index)) },
    close,
  };
}

async function commonhold(/** @type {Place} */ place) {
  const state = await stateOn(place);
  const free = state.rateLimit('free', '1000000000 per hour');
  const strict = state.rateLimit('strict', '1 per hour');
  return member(
    (name) => free.consume(name),
    (name) => strict.consume(name),
    () => state.close(),
  );
}

async function rateLimitRedis(/** @type {Place} */ place, /** @type {boolean} */ tuned) {
  const client = await nodeRedis(place, tuned);
  const store = (/** @type {string} */ prefix) => {
    const made = new RedisStore({ prefix, sendCommand: (...words) => client.sendCommand(words) });
    void made.init(/** @type {any} */ ({ windowMs: 3_600_000 }));
    return made;
  };
  const [free, strict] = [store('rl:free:'), store('rl:strict:')];
  return member(
    (name) => free.increment(name),
    (name) => strict.increment(name),
    () => client.close(),
  );
}

async function flexible(/** @type {Place} */ place, /** @type {boolean} */ tuned) {
  const client = await nodeRedis(place, tuned);
  const shared = { storeClient: client, useRedisPackage: true, duration: 3600 };
  const free = new RateLimiterRedis({ ...shared, keyPrefix: 'free', points: 1_000_000_000 });
  const strict = new RateLimiterRedis({ ...shared, keyPrefix: 'strict', points: 1 });
  return member(
    (name) => free.consume(name),
    (name) => strict.consume(name).catch((/** @type {unknown} */ refusal) => refusal),
    () => client.close(),
  );
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'rate limit',
  lines: [
    { title: '50 in flight', unit: 'hits/s', goal: '>= 1.3', sample: ({ free }, place) => inFlight(50)(free, place) },
    { title: '500 in flight', unit: 'hits/s', goal: '>= 1.3', sample: ({ free }, place) => inFlight(500)(free, place) },
    {
      title: 'blocked subject, 50 in flight',
      unit: 'hits/s',
      goal: '>= 10',
      sample: ({ blocked }, place) => inFlight(50)(blocked, place),
    },
  ],
  ours: { commonhold },
  peers: {
    'rate-limit-redis': (place) => rateLimitRedis(place, false),
    'rate-limiter-flexible': (place) => flexible(place, false),
  },
  tuned: {
    'rate-limit-redis, no timeout': (place) => rateLimitRedis(place, true),
  },
};
