import process from 'node:process';

/** @typedef {import('./harness.mjs').Place} Place */
/** @typedef {{ run: (index: number) => unknown }} Runner */

/** Where answers go, so that no compiler leaves out what nobody looks at. @type {unknown} */
export let sink;

/**
 * Calls a second with so many unanswered at any time.
 * @param {number} lanes
 * @returns {(subject: Runner, place: Place) => Promise<number>}
 */
export function inFlight(lanes) {
  return ({ run }, place) =>
    metered(place, async () => {
      let [done, next, over] = [0, 0, false];
      const startedAtMs = performance.now();
      const lane = async () => {
        while (!over) {
          await run(next++);
          if ((++done & 7) === 0) over = performance.now() - startedAtMs >= place.args.sampleMs;
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      return done;
    });
}

/**
 * Calls a second, one after the other, awaiting only what is a promise: for what answers from this process.
 * @param {Runner} subject
 * @param {Place} place
 * @returns {Promise<number>}
 */
export function sequential({ run }, place) {
  return metered(place, async () => {
    const startedAtMs = performance.now();
    let done = 0;
    while (performance.now() - startedAtMs < place.args.sampleMs) {
      for (let step = 0; step < 1000; step++) {
        const answer = run(done++);
        sink = answer instanceof Promise ? await answer : answer;
      }
    }
    return done;
  });
}

/**
 * Bytes of Redis memory for each of `count` entries, from empty.
 * @param {number} count
 * @returns {(subject: { fill: (count: number) => Promise<unknown> }, place: Place) => Promise<number>}
 */
export function bytesEach(count) {
  return async (subject, { command }) => {
    await command('FLUSHALL');
    // A first one, so that indexes and the like are not counted.
    await subject.fill(16);
    const before = await usedMemory(command);
    await subject.fill(count);
    const each = ((await usedMemory(command)) - before) / count;
    await command('FLUSHALL');
    return each;
  };
}

async function usedMemory(/** @type {Place['command']} */ command) {
  return Number(/used_memory:(\d+)/.exec(String(await command('INFO', 'memory')))?.[1]);
}

/**
 * How many things a second `work` does, which resolves to how many it did. Notes what each took of the processors.
 * @param {Place} place
 * @param {() => Promise<number>} work
 * @returns {Promise<number>}
 */
export async function metered(place, work) {
  const redisBeforeUs = await redisCpuUs(place);
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  const done = await work();
  const rate = (done * 1000) / (performance.now() - startedAtMs);
  const { user, system } = process.cpuUsage(before);
  place.spent = { hereUs: (user + system) / done, redisUs: ((await redisCpuUs(place)) - redisBeforeUs) / done };
  return rate;
}

async function redisCpuUs(/** @type {Place} */ { command }) {
  const seconds = String(await command('INFO', 'cpu')).matchAll(/used_cpu_(?:user|sys):([\d.]+)/g);
  return [...seconds].reduce((sum, [, text]) => sum + Number(text) * 1e6, 0);
}
