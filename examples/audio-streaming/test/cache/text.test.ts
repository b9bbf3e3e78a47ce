import { describe, expect, it } from 'vitest';
import { TextCache } from '../../src/cache/text.js';
import { homes } from '../homes.js';
import { opener } from '../two-containers.js';

describe.each(homes)('the text cache %s', (_name, openHome) => {
  const home = openHome();

  async function twoCaches(mostBytes = 1_000, ttlMs?: number): Promise<[TextCache, TextCache]> {
    const open = opener(await home.url());
    const openOne = async (owner: string): Promise<TextCache> =>
      new TextCache(await open({ namespace: 'audio', owner }), { mostBytes, ...(ttlMs !== undefined && { ttlMs }) });
    return [await openOne('container-1'), await openOne('container-2')];
  }

  it('S2.7: reads a file once for both containers, and counts every access', async () => {
    const [one, two] = await twoCaches();
    let loads = 0;
    const load = async (): Promise<string> => `text ${++loads}`;
    const first = await one.read('key', 5n, load);
    const { created_at, expires_at } = first;
    expect(first).toEqual({
      content: 'text 1',
      size: 6,
      created_at,
      last_accessed: created_at,
      access_count: 1,
      file_mtime_ns: 5n,
      expires_at: created_at + 86_400_000,
      container_id: 'container-1',
    });
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? one : two).read('key', 5n, load)));
    expect(await two.read('key', 5n, load)).toMatchObject({
      content: 'text 1',
      access_count: 22,
      created_at,
      expires_at,
    });
    expect(loads).toBe(1);
  });

  it('S2.7: reads it anew when the file has changed, also where the old text is at hand', async () => {
    const [one, two] = await twoCaches();
    await one.read('key', 5n, async () => 'old');
    await two.read('key', 5n, async () => 'old');
    expect(await one.read('key', 6n, async () => 'new')).toMatchObject({
      content: 'new',
      access_count: 1,
      file_mtime_ns: 6n,
    });
    expect(await two.read('key', 6n, async () => 'never')).toMatchObject({ content: 'new', access_count: 2 });
  });

  it('S2.12: reads it anew when its time is over, however often it was used', async () => {
    const [one] = await twoCaches(1_000, 300);
    const first = await one.read('key', 5n, async () => 'first');
    expect(first.expires_at - first.created_at).toBe(300);
    await expect
      .poll(async () => (await one.read('key', 5n, async () => 'second')).content, { interval: 40, timeout: 3_000 })
      .toBe('second');
    expect(Date.now() - first.created_at).toBeGreaterThanOrEqual(300);
    expect((await one.cache.get('key'))?.created_at).toBeGreaterThanOrEqual(first.expires_at);
  });

  it('S2.18: keeps no more at hand than it may; the rest is the one shared copy', async () => {
    const [one] = await twoCaches(1_000);
    let loads = 0;
    const read = (key: string): Promise<unknown> => one.read(key, 1n, async () => `${++loads}`.padEnd(150));
    for (let count = 0; count < 20; count++) await read(`key-${count}`);
    expect(one.bytesAtHand).toBeLessThanOrEqual(1_000);
    expect(one.bytesAtHand).toBeGreaterThan(0);
    await read('key-0');
    expect(loads).toBe(20);
  });

  it('passes on what loading throws, and keeps nothing', async () => {
    const [one] = await twoCaches();
    await expect(one.read('key', 5n, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect(await one.cache.has('key')).toBe(false);
    expect(await one.read('key', 5n, async () => 'there')).toMatchObject({ content: 'there', access_count: 1 });
  });
});
