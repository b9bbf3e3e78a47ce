import { stateOn } from '../clients.mjs';
import { inFlight } from '../samples.mjs';

/** @typedef {import('../harness.mjs').Place} Place */

/** Does `work` for each number below `count`, some hundreds at a time. */
async function batched(/** @type {number} */ count, /** @type {(index: number) => Promise<unknown>} */ work) {
  for (let start = 0; start < count; start += 500) {
    await Promise.all(Array.from({ length: Math.min(500, count - start) }, (_, index) => work(start + index)));
  }
}

async function commonhold(/** @type {Place} */ place) {
  const state = await stateOn(place);
  return { state, close: () => state.close() };
}

/** A cache that holds so many keys, each of which is read in turn. */
async function cache(/** @type {any} */ state, /** @type {number} */ count) {
  const values = state.cache(`of-${count}`, { ttl: '1d' });
  await batched(count, (index) => values.set(`key-${index}`, index));
  return { run: (/** @type {number} */ index) => values.get(`key-${(index * 7919) % count}`) };
}

/** A queue in which so many jobs wait: one is added and one is taken, again and again. */
async function queue(/** @type {any} */ state, /** @type {number} */ count) {
  const jobs = state.queue(`of-${count}`, { keepCompleted: 0 });
  const waiting = (/** @type {number} */ many) => jobs.addMany(Array.from({ length: many }, () => ({ data: 1 })));
  for (let added = 0; added < count; added += 1000) await waiting(1000);
  let ended = () => {};
  const worker = jobs.work(async () => ended(), { concurrency: 1 });
  return {
    run: () => {
      const next = new Promise((/** @type {(value?: unknown) => void} */ resolve) => (ended = resolve));
      return Promise.all([jobs.add(1), next]);
    },
    close: () => worker.close(),
  };
}

/** A presence with so many members, fifty in a region: one comes, is counted with its region, and goes. */
async function presence(/** @type {any} */ state, /** @type {number} */ count) {
  const members = state.presence(`of-${count}`);
  await batched(count, (index) => members.join({ id: `member-${index}`, region: `region-${index % (count / 50)}` }));
  return {
    run: async (/** @type {number} */ index) => {
      const region = `region-${index % 20}`;
      const member = await members.join({ id: `visitor-${index}`, region });
      await members.count(region);
      await member.leave();
    },
  };
}

/** What one operation costs among `many` over what it costs among 1,000, in turn. */
function overThousand(/** @type {any} */ open, /** @type {number} */ many, /** @type {number} */ lanes) {
  /** @type {Promise<any[]> | undefined} */
  let both;
  return async (/** @type {any} */ { state }, /** @type {Place} */ place) => {
    both ??= Promise.all([open(state, 1000), open(state, many)]);
    const [few, large] = await both;
    const fewRate = await inFlight(lanes)(few, place);
    return fewRate / (await inFlight(lanes)(large, place));
  };
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'cost over that among 1,000',
  lines: [
    {
      title: 'cache get among 1,000,000 keys',
      unit: 'times',
      goal: '<= 1.3',
      long: true,
      sample: overThousand(cache, 1_000_000, 50),
    },
    {
      title: 'add and take among 1,000,000 jobs',
      unit: 'times',
      goal: '<= 1.3',
      long: true,
      sample: overThousand(queue, 1_000_000, 1),
    },
    {
      title: 'join, count and leave among 100,000 members',
      unit: 'times',
      goal: '<= 1.3',
      long: true,
      sample: overThousand(presence, 100_000, 10),
    },
  ],
  ours: { commonhold },
  peers: {},
};
