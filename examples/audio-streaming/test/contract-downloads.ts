import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Client, expectProblem } from './client.js';
import { recording } from './recording.js';

/** The original bytes. */
export function downloadContract(client: () => Client): void {
  describe('a download', () => {
    it('gives the original bytes, or the range asked for', async () => {
      const file = recording();
      const trackId = await client().upload(file);
      const path = `/tracks/${trackId}/download`;
      const whole = await client().get(path);
      expect([whole.status, whole.headers.get('accept-ranges')]).toEqual([200, 'bytes']);
      expect(whole.bytes).toEqual(file);
      for (const [range, first, end] of [
        ['bytes=0-99', 0, 100],
        ['bytes=1000-', 1_000, file.length],
        ['bytes=-5', file.length - 5, file.length],
      ] as const) {
        const part = await client().get(path, { range });
        expect([part.status, part.headers.get('content-range')]).toEqual([
          206,
          `bytes ${first}-${end - 1}/${file.length}`,
        ]);
        expect(part.bytes).toEqual(file.subarray(first, end));
      }
      expectProblem(await client().get(path, { range: `bytes=${file.length}-` }), 416, /beyond the end/);
      const tag = whole.headers.get('etag') ?? '';
      const resumed = [tag, '"another"'].map((known) => client().get(path, { range: 'bytes=5-9', 'if-range': known }));
      expect((await Promise.all(resumed)).map(({ status }) => status)).toEqual([206, 200]);
      const head = await client().request('HEAD', path);
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(file.length)]);
    });

    it('S2.6: is told of while it lasts and after', async () => {
      const file = recording();
      const trackId = await client().upload(file);
      const { headers } = await client().get(`/tracks/${trackId}/download`, { range: 'bytes=0-9999' });
      const id = headers.get('download-id') ?? '';
      expect((await client().get(`/downloads/${id}`)).json).toEqual({
        download_id: id,
        track_id: trackId,
        size: 10_000,
        bytes_sent: 10_000,
        status: 'completed',
        started_at: expect.any(Number) as number,
        container_id: expect.any(String) as string,
      });
      expectProblem(await client().get(`/downloads/${randomUUID()}`), 404, /no download/);
    });
  });
}
