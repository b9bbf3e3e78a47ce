import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LRUCache } from 'lru-cache';
import { describe, expect, it } from 'vitest';
import { NearStore } from '../../src/cache/near-store.js';

/** Keys of 95,607 requests to a web server, as 32-bit numbers. */
const trace = fileURLToPath(new URL('../../../../../shared/data/cache/web12.trace.xz', import.meta.url));

function readTrace(): string[] {
  const bytes = execFileSync('xz', ['-dc', trace], { maxBuffer: 2 ** 24 });
  return Array.from({ length: bytes.length / 4 }, (_, index) => String(bytes.readUInt32BE(4 * index)));
}

interface Store {
  get(key: string): unknown;
  set(key: string, value: true, bytes: number): unknown;
}

function hitRatio(store: Store, keys: readonly string[]): number {
  let hits = 0;
  for (const key of keys) {
    if (store.get(key) === undefined) store.set(key, true, 1);
    else hits++;
  }
  return hits / keys.length;
}

describe('the store of a near cache', () => {
  it('keeps both bounds', () => {
    const store = new NearStore<number>({ maxEntries: 100, maxBytes: 20_000 });
    for (let n = 0; n < 1_000; n++) {
      store.set(`k${n % 300}`, n, n % 7 === 0 ? 3_000 : 10);
      if (n % 3 === 0) store.get(`k${n % 50}`);
      expect(store.size).toBeLessThanOrEqual(100);
      expect(store.bytes).toBeLessThanOrEqual(20_000);
    }
    store.clear();
    expect([store.size, store.bytes]).toEqual([0, 0]);
  });

  it('does not keep what is larger than everything, nor what was there before it', () => {
    const store = new NearStore<number>({ maxEntries: 10, maxBytes: 2_000 });
    store.set('k', 1, 10);
    store.set('k', 2, 5_000);
    expect(store.get('k')).toBeUndefined();
    expect(store.bytes).toBe(0);
  });

  it('lives through a scan of keys that are read once', () => {
    const store = new NearStore<number>({ maxEntries: 200, maxBytes: 2 ** 30 });
    const inUse = Array.from({ length: 100 }, (_, n) => `used${n}`);
    for (const key of [...inUse, ...inUse]) if (store.get(key) === undefined) store.set(key, 1, 10);
    for (let n = 0; n < 10_000; n++) store.set(`scan${n}`, 1, 10);
    expect(inUse.filter((key) => store.get(key) !== undefined)).toHaveLength(100);
  });

  it.skipIf(!existsSync(trace))('on a web trace hits as often as lru-cache of the same size, or more', () => {
    const keys = readTrace();
    const rows = [16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192].map((maxEntries) => {
      const lru = new LRUCache<string, true>({ max: maxEntries });
      return {
        maxEntries,
        ours: hitRatio(new NearStore<true>({ maxEntries, maxBytes: 2 ** 40 }), keys),
        lru: hitRatio({ get: (key) => lru.get(key), set: (key) => lru.set(key, true) }, keys),
      };
    });
    for (const { maxEntries, ours, lru } of rows) expect(ours, `${maxEntries} entries`).toBeGreaterThanOrEqual(lru);
  });
});
