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
  return async ({ run }, { args }) => {
    let [done, next, over] = [0, 0, false];
    const startedAtMs = performance.now();
    const lane = async () => {
      while (!over) {
        await run(next++);
        if ((++done & 7) === 0) over = performance.now() - startedAtMs >= args.sampleMs;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return (done * 1000) / (performance.now() - startedAtMs);
  };
}

/**
 * Calls a second, one after the other, awaiting only what is a promise: for what answers from this process.
 * @param {Runner} subject
 * @param {Place} place
 * @returns {Promise<number>}
 */
export async function sequential({ run }, { args }) {
  const startedAtMs = performance.now();
  let done = 0;
  while (performance.now() - startedAtMs < args.sampleMs) {
    for (let step = 0; step < 1000; step++) {
      const answer = run(done++);
      sink = answer instanceof Promise ? await answer : answer;
    }
  }
  return (done * 1000) / (performance.now() - startedAtMs);
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
 * How often `work` of `count` things is done a second.
 * @param {number} count
 * @param {() => Promise<unknown>} work
 * @returns {Promise<number>}
 */
export async function perSecond(count, work) {
  const startedAtMs = performance.now();
  await work();
  return (count * 1000) / (performance.now() - startedAtMs);
}
