import { describe, expect, it } from 'vitest';
import type { ComputedTimings } from '../../src/cache/word-timing.js';
import { homes } from '../homes.js';
import { twoContainers } from '../two-containers.js';

describe.each(homes)('the word timing cache %s', (_name, openHome) => {
  const home = openHome();
  const timings: ComputedTimings = { method: 'test', timings: [{ word: 'ask', start: 0, end: 1 }] };

  it('S2.8: computes once for both containers, however many ask at once', async () => {
    const [one, two] = await twoContainers(await home.url());
    let computed = 0;
    const compute = async (): Promise<ComputedTimings> => {
      computed++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return timings;
    };
    const reads = Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? one : two).wordTimingCache.read('t:v', 5n, compute),
    );
    const found = await Promise.all(reads);
    expect(computed).toBe(1);
    for (const each of found) expect(each).toEqual(found[0]);
    expect(found[0]).toMatchObject({ ...timings, text_mtime_ns: 5n });
    expect(found[0]?.container_id).toMatch(/^container-[12]$/);
    expect(await two.wordTimingCache.cache.get('t:v')).toEqual(found[0]);
    await two.wordTimingCache.read('t:v', 6n, compute);
    expect(computed).toBe(2);
  });

  it('lets the next one try where computing failed', async () => {
    const [one, two] = await twoContainers(await home.url());
    const failing = one.wordTimingCache.read('t:v', 5n, () => Promise.reject(new Error('no model')));
    await expect(failing).rejects.toThrow('no model');
    expect(await two.wordTimingCache.read('t:v', 5n, async () => timings)).toMatchObject(timings);
  });
});
