import { describe, expect, it } from 'vitest';
import { type Client, expectProblem } from './client.js';
import { madeSeconds } from './made-mp3.js';
import { frames, recording } from './recording.js';

/** Texts and the timings of their words. */
export function textContract(client: () => Client): void {
  describe('the spoken text', () => {
    it('S2.7: is cached with its size, its uses, the state of its file and its end', async () => {
      const trackId = await client().upload(recording(), 1);
      const path = `/tracks/${trackId}/text`;
      expectProblem(await client().get(path), 404, /no text/);
      expect((await client().send('PUT', path, { text: 'Grüße' })).json).toEqual({ track_id: trackId, size: 7 });
      const first = (await client().get(path)).json;
      expect(first).toMatchObject({ track_id: trackId, text: 'Grüße', size: 7, access_count: 1 });
      expect(String(first['file_mtime_ns'])).toMatch(/^\d{19}$/);
      expect(Number(first['expires_at']) - Number(first['created_at'])).toBe(86_400_000);
      const second = (await client().get(path)).json;
      expect(second).toMatchObject({ text: 'Grüße', access_count: 2, created_at: first['created_at'] });
      expect(Number(second['last_accessed'])).toBeGreaterThanOrEqual(Number(first['last_accessed']));
    });

    it('S2.7: that changes on the disk is read anew by every container', async () => {
      const trackId = await client().upload(recording(), 1);
      const path = `/tracks/${trackId}/text`;
      for (const text of ['one', 'two', 'three']) {
        await client().request('PUT', path, { body: text, headers: { 'content-type': 'text/plain' } });
        for (let round = 0; round < 4; round++) expect((await client().get(path)).json).toMatchObject({ text });
        expect((await client().get(path)).json).toMatchObject({ access_count: 5 });
      }
      const plain = await client().get(path, { accept: 'text/plain' });
      expect([plain.bytes.toString(), plain.headers.get('content-type')]).toEqual([
        'three',
        'text/plain; charset=utf-8',
      ]);
    });

    it('S2.8: its word timings are computed once for all, until the text changes', async () => {
      const trackId = await client().upload(recording(), 1);
      const path = `/tracks/${trackId}/timings?voice_id=ada`;
      expectProblem(await client().get(path), 404, /no text/);
      await client().send('PUT', `/tracks/${trackId}/text`, { text: 'ask not what' });
      const all = await Promise.all(Array.from({ length: 12 }, () => client().get(path)));
      const first = all[0]?.json ?? {};
      for (const { json } of all) expect(json).toEqual(first);
      expect(first).toMatchObject({
        track_id: trackId,
        voice_id: 'ada',
        method: expect.stringMatching(/estimate/) as string,
      });
      const timings = first['timings'] as { word: string; start: number; end: number }[];
      expect(timings.map(({ word }) => word)).toEqual(['ask', 'not', 'what']);
      expect(timings.at(-1)?.end).toBeLessThanOrEqual(madeSeconds(frames));
      await client().send('PUT', `/tracks/${trackId}/text`, { text: 'what your country can do' });
      expect((await client().get(path)).json['timings']).toHaveLength(5);
      expectProblem(await client().get(`/tracks/${trackId}/timings`), 422, /voice_id/);
    });

    it('may be as long as a text can be, in words as short as words can be', async () => {
      const trackId = await client().upload(recording(), 1);
      const text = 'a '.repeat(131_072);
      expect((await client().send('PUT', `/tracks/${trackId}/text`, { text })).json).toMatchObject({ size: 262_144 });
      expect((await client().get(`/tracks/${trackId}/text`)).json['text']).toBe(text);
      for (let round = 0; round < 3; round++) {
        const { json } = await client().get(`/tracks/${trackId}/timings?voice_id=ada`);
        expect(json['timings']).toHaveLength(131_072);
      }
    });

    it.each([
      ['nothing', { text: '' }, 422],
      ['blanks', { text: ' \n ' }, 422],
      ['a number', { text: 5 }, 422],
      ['no text', { words: 'a' }, 422],
      ['control characters', { text: 'a\u0000b' }, 422],
      ['300 kB', { text: 'a'.repeat(300_000) }, 413],
    ])('is refused when it is %s', async (_name, body, status) => {
      const trackId = await client().upload(recording(), 1);
      expectProblem(await client().send('PUT', `/tracks/${trackId}/text`, body), status, /./);
    });
  });
}
