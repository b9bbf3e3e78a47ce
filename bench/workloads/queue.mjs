import BeeQueue from 'bee-queue';
import { Queue as BullQueue, Worker as BullWorker } from 'bullmq';
import { stateOn } from '../clients.mjs';
import { bytesEach, inFlight, metered } from '../samples.mjs';
import { summarize } from '../statistics.mjs';

/** @typedef {import('../harness.mjs').Place} Place */

/**
 * One queue of its own: `work` has `handler` run on jobs, so many at once, and resolves to what stops it.
 * @typedef {object} Jobs
 * @property {() => Promise<unknown>} add
 * @property {(count: number) => Promise<unknown>} addMany
 * @property {(handler: () => Promise<void>, concurrency: number) => () => Promise<unknown>} work
 * @property {() => Promise<unknown>} close
 */

/** 78 bytes as JSON. */
const data = { file: 'scans/2024/page-01.png', language: 'eng', pages: 3, owner: 'ada' };
const many = (/** @type {number} */ count, /** @type {() => unknown} */ make) => Array.from({ length: count }, make);
let used = 0;

/** The members that the lines use. @param {() => Jobs} open */
function subject(open, close = async () => {}) {
  const jobs = open();
  const fill = (/** @type {number} */ count) => jobs.addMany(count);
  const end = () => Promise.all([jobs.close(), close()]);
  return { run: () => jobs.add(), fill, open, close: end };
}

async function commonhold(/** @type {Place} */ place) {
  const state = await stateOn(place);
  const open = () => {
    const queue = state.queue(`jobs-${used++}`);
    return {
      add: () => queue.add(data),
      addMany: (/** @type {number} */ count) => queue.addMany(many(count, () => ({ data }))),
      work: (/** @type {() => Promise<void>} */ handler, /** @type {number} */ concurrency) => {
        const worker = queue.work(handler, { concurrency });
        return () => worker.close();
      },
      close: async () => {},
    };
  };
  return subject(open, () => state.close());
}

async function bee(/** @type {Place} */ { url }) {
  const open = () => {
    const name = `jobs-${used++}`;
    const queue = new BeeQueue(name, { redis: /** @type {any} */ (url), isWorker: false });
    return {
      add: () => queue.createJob(data).save(),
      addMany: (/** @type {number} */ count) => queue.saveAll(many(count, () => queue.createJob(data))),
      work: (/** @type {() => Promise<void>} */ handler, /** @type {number} */ concurrency) => {
        const worker = new BeeQueue(name, { redis: /** @type {any} */ (url) });
        worker.process(concurrency, handler);
        return () => worker.close();
      },
      close: () => queue.close(),
    };
  };
  return subject(open);
}

async function bull(/** @type {Place} */ { url }) {
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const open = () => {
    const name = `jobs-${used++}`;
    const queue = new BullQueue(name, { connection });
    return {
      add: () => queue.add('job', data),
      addMany: (/** @type {number} */ count) => queue.addBulk(many(count, () => ({ name: 'job', data }))),
      work: (/** @type {() => Promise<void>} */ handler, /** @type {number} */ concurrency) => {
        const worker = new BullWorker(name, handler, { connection, concurrency });
        return () => worker.close();
      },
      close: () => queue.close(),
    };
  };
  return subject(open);
}

/** Jobs a second that a worker ends which does nothing, from a queue that holds them all. */
function processed(/** @type {number} */ concurrency) {
  return async (/** @type {{ open: () => Jobs }} */ { open }, /** @type {Place} */ place) => {
    const count = Math.round(place.args.sampleMs * Math.min(concurrency, 10)) + 200;
    const jobs = open();
    await jobs.addMany(count);
    let stop = async () => /** @type {unknown} */ (undefined);
    const rate = await metered(place, async () => {
      let left = count;
      const { promise, resolve } = withResolvers();
      stop = jobs.work(async () => {
        left -= 1;
        if (left === 0) resolve();
      }, concurrency);
      await promise;
      return count;
    });
    await stop();
    await jobs.close();
    return rate;
  };
}

/** Milliseconds from adding a job to its start, at ten jobs a second: the median of a sample. */
async function startDelay(/** @type {{ open: () => Jobs }} */ { open }, /** @type {Place} */ { args }) {
  const jobs = open();
  let started = () => {};
  const stop = jobs.work(async () => started(), 1);
  /** @type {number[]} */
  const delays = [];
  for (let job = 0; job < Math.max(5, args.sampleMs / 100); job++) {
    const { promise, resolve } = withResolvers();
    await new Promise((after) => setTimeout(after, 100));
    started = resolve;
    const addedAtMs = performance.now();
    void jobs.add();
    await promise;
    delays.push(performance.now() - addedAtMs);
  }
  await stop();
  await jobs.close();
  return summarize(delays).median;
}

/** `Promise.withResolvers` of Node 22. @returns {{ promise: Promise<void>, resolve: () => void }} */
function withResolvers() {
  let resolve = () => {};
  const promise = /** @type {Promise<void>} */ (new Promise((done) => (resolve = done)));
  return { promise, resolve };
}

/** @type {import('../harness.mjs').Workload} */
export default {
  title: 'queue',
  lines: [
    { title: 'add, 50 in flight', unit: 'jobs/s', goal: '>= 2', sample: inFlight(50) },
    { title: 'add, 500 in flight', unit: 'jobs/s', goal: '>= 3.5', sample: inFlight(500) },
    {
      title: 'add 1,000 at once',
      unit: 'jobs/s',
      goal: '>= 4',
      sample: async ({ fill }, place) => 1000 * (await inFlight(1)({ run: () => fill(1000) }, place)),
    },
    { title: 'process, concurrency 1', unit: 'jobs/s', goal: '>= 2.5', sample: processed(1) },
    { title: 'process, concurrency 10', unit: 'jobs/s', goal: '>= 4', sample: processed(10) },
    { title: 'process, concurrency 100', unit: 'jobs/s', goal: '>= 5', sample: processed(100) },
    { title: 'memory of a waiting job', unit: 'bytes', goal: '<= 0.6', sample: bytesEach(5000) },
    { title: 'enqueue to start, p50', unit: 'ms', goal: '<= 1', sample: startDelay },
  ],
  ours: { commonhold },
  peers: { 'bee-queue': bee, bullmq: bull },
};
