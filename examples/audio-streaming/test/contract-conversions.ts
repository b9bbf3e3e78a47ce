import { describe, expect, it } from 'vitest';
import { framesOf } from '../src/mp3/frame-walk.js';
import { type Client, expectProblem } from './client.js';
import { madeSeconds } from './made-mp3.js';
import { frames, recording } from './recording.js';

/** A track becomes a stream, once. */
export function conversionContract(client: () => Client): void {
  describe('a conversion', () => {
    it('S2.5: asked for thirty times at once, is one, with one id', async () => {
      const trackId = await client().upload(recording());
      const ids = await Promise.all(Array.from({ length: 30 }, () => client().convert(trackId, 'ada')));
      expect(new Set(ids).size).toBe(1);
      expect(await client().converted(trackId, 'ada')).toMatchObject({ status: 'completed', attempts: 1 });
      expect(await client().convert(trackId, 'ada')).toBe(ids[0]);
      expect(await client().progress(trackId, 'ada')).toMatchObject({ status: 'completed', attempts: 1 });
    });

    it('S2.4: says its segments and its status, by track and voice, and by track alone', async () => {
      const trackId = await client().upload(recording());
      expectProblem(await client().get(`/tracks/${trackId}/progress?voice_id=bob`), 404, /Nobody has asked/);
      await client().convert(trackId, 'bob');
      const done = await client().converted(trackId, 'bob');
      const total = done['total_segments'] as number;
      expect(done).toEqual({
        voice_id: 'bob',
        total_segments: total,
        processed_segments: total,
        status: 'completed',
        container_id: expect.any(String) as string,
        attempts: 1,
        error: null,
      });
      expect(total).toBeGreaterThan(1);
      expect((await client().get(`/tracks/${trackId}/progress`)).json).toEqual(done);
    });

    it('makes a finished playlist whose lengths are exact, and segments that begin with their time', async () => {
      const trackId = await client().upload(recording());
      expectProblem(await client().get(`/tracks/${trackId}/eve/playlist.m3u8`), 404, /no such file/);
      await client().convert(trackId, 'eve');
      await client().converted(trackId, 'eve');
      const { lines, segments } = await client().stream(trackId, 'eve');
      expect(lines.slice(0, 2)).toEqual(['#EXTM3U', '#EXT-X-VERSION:3']);
      expect(lines).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
      expect(lines.at(-1)).toBe('#EXT-X-ENDLIST');
      const lengths = lines.flatMap((line) => /^#EXTINF:(\d+\.\d{6}),$/.exec(line)?.[1] ?? []).map(Number);
      expect(lengths).toHaveLength(segments.length);
      const target = Number(lines.find((line) => line.startsWith('#EXT-X-TARGETDURATION'))?.split(':')[1]);
      let startSeconds = 0;
      for (const [index, segment] of segments.entries()) {
        expect(segment.readBigUInt64BE(65)).toBe(BigInt(Math.round(startSeconds * 90_000)));
        const frames = framesOf(segment).length;
        expect(lengths[index]).toBeCloseTo(madeSeconds(frames), 6);
        expect(lengths[index]).toBeLessThanOrEqual(target);
        startSeconds += madeSeconds(frames);
      }
      expect(startSeconds).toBeCloseTo(madeSeconds(frames), 6);
    });

    it('S2.9: its segments are counted when they are asked for', async () => {
      const trackId = await client().upload(recording());
      const activity = `/tracks/${trackId}/voices/joe/activity`;
      expect((await client().get(activity)).json).toMatchObject({ accesses: 0, last_accessed: null, segments: [] });
      await client().convert(trackId, 'joe');
      await client().converted(trackId, 'joe');
      const wanted = [0, 1, 0, 0, 1];
      await Promise.all(wanted.map((index) => client().get(`/tracks/${trackId}/joe/segment-${index}.mp3`)));
      expect((await client().get(activity)).json).toMatchObject({
        accesses: 5,
        last_accessed: expect.any(Number) as number,
        segments: [
          { segment_id: 0, accesses: 3, container_id: expect.any(String) as string },
          { segment_id: 1, accesses: 2, container_id: expect.any(String) as string },
        ],
      });
    });

    it.each([
      ['no voice', {}, 422],
      ['an empty voice', { voice_id: '' }, 422],
      ['a voice of another kind', { voice_id: 5 }, 422],
      ['a voice that climbs', { voice_id: '../x' }, 422],
      ['a voice of 64 letters', { voice_id: 'a'.repeat(64) }, 422],
    ])('with %s is refused', async (_name, body, status) => {
      const trackId = await client().upload(recording(), 1);
      expectProblem(await client().send('POST', `/tracks/${trackId}/conversions`, body), status, /voice_id/);
    });

    it.each([
      ['POST', '/conversions'],
      ['GET', '/progress?voice_id=a'],
      ['GET', '/a/playlist.m3u8'],
      ['GET', '/a/segment-0.mp3'],
      ['PUT', '/text'],
      ['GET', '/text'],
      ['GET', '/timings?voice_id=a'],
      ['GET', '/download'],
      ['GET', '/voices/a/activity'],
    ])('%s …%s of no track is 404', async (method, path) => {
      for (const id of ['0'.repeat(64), '..%2f..%2fetc', 'F'.repeat(64)]) {
        const body = method === 'PUT' ? { text: 'a' } : { voice_id: 'a' };
        const url = `/tracks/${id}${path}`;
        expectProblem(
          method === 'GET' ? await client().get(url) : await client().send(method, url, body),
          404,
          /no track/,
        );
      }
    });

    it('has no other files', async () => {
      const trackId = await client().upload(recording(), 1);
      for (const name of ['a/segment-x.mp3', 'a/segment--1.mp3', 'a/other', '.%2e/playlist.m3u8', 'a/..%2f..%2fx']) {
        expect((await client().get(`/tracks/${trackId}/${name}`)).status, name).toBe(404);
      }
    });
  });

  it('S2.13: containers that live are listed with what they hold', async () => {
    const { json } = await client().get('/containers');
    expect(Object.keys(json)).toEqual(['containers', 'orphans', 'taken_over']);
    const containers = json['containers'] as Record<string, unknown>[];
    expect(containers.length).toBeGreaterThan(0);
    for (const container of containers) {
      expect(container).toMatchObject({
        container_id: expect.any(String) as string,
        holds: expect.any(Array) as unknown[],
      });
      expect(container['owner']).toMatch(new RegExp(`^${String(container['container_id'])}#`));
    }
  });
}
