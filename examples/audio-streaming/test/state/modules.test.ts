import { describe, expect, it } from 'vitest';
import { SharedMap } from 'commonhold';
import { countCommands } from 'commonhold/testing';
import { type Owned, RedisStateManager, redisClient } from '../../src/index.js';
import { progressKey } from '../../src/state/progress.js';
import { homes, ownRedis } from '../homes.js';
import { opener, twoContainers } from '../two-containers.js';

const hourMs = 3_600_000;
const fn = expect.any(Function) as () => never;

describe.each(homes)('the modules %s', (_name, openHome) => {
  const home = openHome();

  it("S2.2, S2.23: a state manager for a kind of state of one's own creates, gets, updates and deletes, seen by every container", async () => {
    const open = opener(await home.url());
    const states = [
      await open({ namespace: 'mine', owner: 'container-1' }),
      await open({ namespace: 'mine', owner: 'container-2' }),
    ] as const;
    const one = new RedisStateManager<{ a: number; b?: string }>(states[0], 'my_namespace');
    const two = new RedisStateManager<{ a: number; b?: string }>(states[1], 'my_namespace');
    expect(await one.createSession('key', { a: 1 }, { ttl: hourMs })).toEqual({ a: 1, container_id: 'container-1' });
    expect(await two.getSession('key')).toEqual({ a: 1, container_id: 'container-1' });
    expect(await two.updateSession('key', { b: 'x' })).toEqual({ a: 1, b: 'x', container_id: 'container-2' });
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? one : two).updateSession('key', ({ a }) => ({ a: a + 1 }))),
    );
    expect(await one.getSession('key')).toMatchObject({ a: 41, b: 'x' });
    expect(await one.updateSession('absent', { a: 1 })).toBeUndefined();
    expect(await one.getSession('absent')).toBeUndefined();
    expect([await two.deleteSession('key'), await one.deleteSession('key')]).toEqual([true, false]);
  });

  it('S2.3, S2.13: entries are set and read like those of a dictionary, by any container, and name their owner', async () => {
    const [one, two] = await twoContainers(await home.url());
    const progress = { voice_id: 'v', total_segments: 100, processed_segments: 75, status: 'processing' } as const;
    await one.progressState.segmentProgress.set('t', { ...progress, container_id: one.container });
    expect(await two.progressState.segmentProgress.get('t')).toEqual({ ...progress, container_id: 'container-1' });
    const entry = await two.progressState.segmentProgress.getEntry('t');
    expect(entry?.owner).toBe(one.shared.owner);
    expect(await two.progressState.segmentProgress.has('other')).toBe(false);
  });

  it('S2.1: every module is there under its name', async () => {
    const [one] = await twoContainers(await home.url());
    const { progressState, conversionState, uploadState, downloadState } = one;
    const maps = [progressState.segmentProgress, conversionState.activeConversions, downloadState.activeDownloads];
    const caches = [one.textCache.cache, one.wordTimingCache.cache, one.uploadStats.fileStats];
    for (const map of [...maps, ...caches]) expect(map).toBeInstanceOf(SharedMap);
    expect(uploadState).toMatchObject({ createSession: fn, getSession: fn });
    expect(one.voiceAccessTracker).toMatchObject({ recordSegmentAccess: fn, getVoiceActivity: fn });
  });

  it('S2.22: code that awaits its dictionary runs unchanged on a Map and on a shared one', async () => {
    interface Dictionary {
      get(key: string): unknown;
      set(key: string, value: number): unknown;
      has(key: string): unknown;
      delete(key: string): unknown;
    }
    const use = async (progress: Dictionary): Promise<unknown[]> => {
      await progress.set('a', 1);
      await progress.set('a', 2);
      const seen = [await progress.get('a'), await progress.has('a'), await progress.get('b'), await progress.has('b')];
      return [...seen, await progress.delete('a'), await progress.delete('a'), await progress.get('a')];
    };
    const [one] = await twoContainers(await home.url());
    const onMap = await use(new Map<string, number>());
    expect(await use(one.shared.map<number>('any'))).toEqual(onMap);
    expect(onMap).toEqual([2, true, undefined, false, true, false, undefined]);
  });

  it('S2.4: progress stands under the track and under track and voice, and ten are read in one trip', async () => {
    const [one, two] = await twoContainers(await home.url());
    const at = (processed_segments: number, voice_id: string) =>
      ({ voice_id, total_segments: 9, processed_segments, status: 'processing', container_id: 'c' }) as const;
    await one.progressState.note('t', at(1, 'v'));
    await one.progressState.note('t', at(5, 'w'));
    const keys = ['t', progressKey('t', 'v'), progressKey('t', 'w'), ...'a b c d e f g'.split(' ')];
    expect(progressKey('t', 'v')).toBe('t:voice:v');
    const found = await two.progressState.segmentProgress.getMany(keys);
    expect([...found].map(([key, { processed_segments }]) => [key, processed_segments])).toEqual([
      ['t', 5],
      ['t:voice:v', 1],
      ['t:voice:w', 5],
    ]);
  });

  it('S2.12: entries end as documented', async () => {
    const [one] = await twoContainers(await home.url());
    const owned: Owned = { container_id: 'c' };
    const lifetimes: readonly (readonly [string, SharedMap<never>, number | undefined])[] = [
      ['progress', one.progressState.segmentProgress as SharedMap<never>, 2 * hourMs],
      ['conversions', one.conversionState.activeConversions as SharedMap<never>, hourMs],
      ['downloads', one.downloadState.activeDownloads as SharedMap<never>, 2 * hourMs],
      ['texts', one.textCache.cache as SharedMap<never>, 24 * hourMs],
      ['word timings', one.wordTimingCache.cache as SharedMap<never>, 24 * hourMs],
      ['upload stats', one.uploadStats.fileStats as SharedMap<never>, 2 * hourMs],
      ['tracks', one.tracks as SharedMap<never>, undefined],
    ];
    for (const [name, map, ttlMs] of lifetimes) {
      await map.set('key', owned as never);
      const ends = (await map.getEntry('key'))?.expiresAtMs;
      if (ttlMs === undefined) expect(ends, name).toBeUndefined();
      else expect(Math.abs((ends ?? 0) - Date.now() - ttlMs), name).toBeLessThan(5_000);
    }
    await one.voiceAccessTracker.recordSegmentAccess('t', 'v', 3);
    const accesses = one.shared.map('voice-access:t:v', { ttl: '2h' });
    expect(Math.abs(((await accesses.getEntry('3'))?.expiresAtMs ?? 0) - Date.now() - 2 * hourMs)).toBeLessThan(5_000);
  });

  it('S2.6: an upload keeps what came in any order, from both containers at once', async () => {
    const [one, two] = await twoContainers(await home.url());
    const { upload_id: id } = await one.uploadState.createSession({ filename: 'a.mp3', size: 100 });
    const chunks = Array.from({ length: 10 }, (_, index) => [index * 10, index * 10 + 9] as const);
    await Promise.all(
      [...chunks, ...chunks].map((range, index) => (index % 2 ? one : two).uploadState.addChunk(id, range)),
    );
    expect(await two.uploadState.getSession(id)).toMatchObject({
      received: [[0, 99]],
      chunks_written: 10,
      status: 'writing',
    });
    await one.uploadState.finish(id, { track_id: 't' });
    expect(await two.uploadState.addChunk(id, [0, 9])).toMatchObject({
      status: 'completed',
      track_id: 't',
      chunks_written: 10,
    });
    expect(await two.uploadState.addChunk('absent', [0, 9])).toBeUndefined();
  });

  it('S2.10: write stats never go back, in whatever order they are told', async () => {
    const [one, two] = await twoContainers(await home.url());
    const begun = await one.uploadState.createSession({ filename: 'a.mp3', size: 20 });
    const half = await one.uploadState.addChunk(begun.upload_id, [0, 9]);
    const whole = await two.uploadState.addChunk(begun.upload_id, [10, 19]);
    const done = await two.uploadState.finish(begun.upload_id, { track_id: 't' });
    const stats = (): Promise<unknown> => one.uploadStats.fileStats.get(begun.upload_id);
    for (const session of [whole, half, begun]) if (session) await one.uploadStats.record(session);
    const expected = { file_id: begun.upload_id, queued_at: begun.created_at, bytes_written: 20, chunks_written: 2 };
    expect(await stats()).toEqual({
      ...expected,
      status: 'writing',
      path: `incoming/${begun.upload_id}`,
      container_id: 'container-1',
    });
    for (const session of [done, whole]) if (session) await two.uploadStats.record(session);
    expect(await stats()).toEqual({ ...expected, status: 'completed', path: 'files/t', container_id: 'container-2' });
  });

  it('S2.9: accesses of segments are counted for both containers', async () => {
    const [one, two] = await twoContainers(await home.url());
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        (index % 2 ? one : two).voiceAccessTracker.recordSegmentAccess('t', 'v', index % 3),
      ),
    );
    const activity = await two.voiceAccessTracker.getVoiceActivity('t', 'v');
    expect(activity.accesses).toBe(30);
    expect(activity.segments.map(({ segment_id, accesses }) => [segment_id, accesses])).toEqual([
      [0, 10],
      [1, 10],
      [2, 10],
    ]);
    expect(await one.voiceAccessTracker.getVoiceActivity('t', 'other')).toEqual({
      accesses: 0,
      last_accessed: undefined,
      segments: [],
    });
  });

  it('S2.11: the client can be pinged', async () => {
    const [one] = await twoContainers(await home.url());
    expect(await redisClient(one.shared).ping()).toBe(true);
  });
});

describe('the modules on a Redis that is looked at', () => {
  const redis = ownRedis();

  it('S2.15: keep small values as JSON that can be read, and large ones compressed', async () => {
    const [one] = await twoContainers(await redis.url());
    const timings = (words: number) => ({
      timings: Array.from({ length: words }, (_, index) => ({ word: `word${index}`, start: index, end: index + 1 })),
      ...{ computed_at: 1, method: 'm', text_mtime_ns: 5n, container_id: 'c' },
    });
    await one.progressState.segmentProgress.set('t', {
      ...{ voice_id: 'v', total_segments: 9, processed_segments: 1, status: 'processing', container_id: 'c' },
    });
    const progress = (await redis.server.command('HGET', 'audio:map:{segment-progress}', 't')) as string;
    expect(progress).toContain('|{"voice_id":"v","total_segments":9,"processed_segments":1,"status":"processing"');
    // Where Node has no zstd of its own, the first write goes without and has the library loaded.
    const storedBytes = async (): Promise<number> => {
      await one.wordTimingCache.cache.set('t:v', timings(2_000));
      return Number(await redis.server.command('HSTRLEN', 'audio:map:{word-timings}', 't:v'));
    };
    await expect.poll(storedBytes).toBeLessThan(JSON.stringify(timings(2_000).timings).length / 3);
    expect((await one.wordTimingCache.cache.get('t:v'))?.timings).toHaveLength(2_000);
  });

  it('S2.17: read, write and read ten in one trip each', async () => {
    const [one] = await twoContainers(await redis.url());
    const { segmentProgress } = one.progressState;
    const progress = {
      voice_id: 'v',
      total_segments: 9,
      processed_segments: 1,
      status: 'processing',
      container_id: 'c',
    } as const;
    await one.progressState.note('warm', progress);
    await segmentProgress.getMany(['warm']);
    const trips = async (work: () => Promise<unknown>): Promise<number> =>
      (await countCommands(redis.server, work)).length;
    expect(await trips(() => one.progressState.note('t', progress))).toBe(1);
    expect(await trips(() => segmentProgress.get('t'))).toBe(1);
    expect(await trips(() => segmentProgress.getMany('a b c d e f g h i j'.split(' ')))).toBe(1);
  });
});

describe('the client of a Redis that is away', () => {
  const redis = ownRedis();

  it('S2.11: says so and does not reject', async () => {
    const [one] = await twoContainers(await redis.url());
    redis.server.pause();
    expect(await redisClient(one.shared).ping()).toBe(false);
    redis.server.resume();
  });
});
