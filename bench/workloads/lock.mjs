import { Redis } from 'ioredis';
import Redlock from 'redlock';
import { stateOn } from '../clients.mjs';
import { inFlight } from '../samples.mjs';

/** @typedef {import('../harness.mjs').Place} Place */

const names = Array.from({ length: 2000 }, (_, index) => `resource-${index}`);
const name = (/** @type {number} */ index) => names[index % 2000];

async function commonhold(/** @type {Place} */ place) {
  const state = await stateOn(place);
  const locks = names.map((each) => state.lock(each));
  return {
    run: async (/** @type {number} */ index) => {
      const held = await locks[index % 2000]?.tryAcquire();
      await held?.release();
    },
    close: () => state.close(),
  };
}

async function redlock(/** @type {Place} */ { url }) {
  const client = new Redis(url);
  const locks = new Redlock([client]);
  return {
    run: async (/** @type {number} */ index) => {
      const held = await locks.acquire([`lock:${name(index)}`], 10_000);
      await held.release();
    },
    close: () => client.disconnect(),
  };
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'lock',
  lines: [
    { title: 'acquire and release, 50 in flight', unit: 'locks/s', goal: '>= 1.6', sample: inFlight(50) },
    { title: 'acquire and release, 500 in flight', unit: 'locks/s', goal: '>= 2.4', sample: inFlight(500) },
  ],
  ours: { commonhold },
  peers: { redlock },
};
