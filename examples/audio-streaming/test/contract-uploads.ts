import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Client, expectProblem } from './client.js';
import { madeSeconds } from './made-mp3.js';
import { frames, recording, sha256 } from './recording.js';

/** Chunks become a track. */
export function uploadContract(client: () => Client): void {
  describe('an upload', () => {
    it('S2.6: takes chunks through any container, out of order and repeated; the last gives the SHA-256', async () => {
      const file = recording();
      const id = await client().begin(file.length);
      const answers: Answer[] = [];
      for (const [first, end] of [
        [100_000, file.length],
        [0, 50_000],
        [0, 50_000],
        [40_000, 90_000],
      ] as const) {
        answers.push(await client().chunk(id, file, first, end));
      }
      expect(answers.map(({ json }) => [json['status'], json['bytes_written'], json['chunks_written']])).toEqual([
        ['writing', file.length - 100_000, 1],
        ['writing', file.length - 50_000, 2],
        ['writing', file.length - 50_000, 2],
        ['writing', file.length - 10_000, 3],
      ]);
      const last = { status: 'completed', bytes_written: file.length, chunks_written: 4, track_id: sha256(file) };
      expect((await client().chunk(id, file, 90_000, 100_000)).json).toEqual(last);
      // Said once more where the answer was lost.
      expect((await client().chunk(id, file, 90_000, 100_000)).json).toEqual(last);
    });

    it('S2.10: says how far it is, how fast, what is missing and who wrote last', async () => {
      const file = recording();
      const id = await client().begin(file.length, 'Gruß aus Köln.mp3');
      const before = await client().get(`/uploads/${id}`);
      expect(before.json).toMatchObject({ status: 'writing', progress: 0, rate: null, eta: null, bytes_written: 0 });
      await client().chunk(id, file, 0, 40_000);
      expect((await client().get(`/uploads/${id}`)).json).toEqual({
        upload_id: id,
        filename: 'Gruß aus Köln.mp3',
        size: file.length,
        status: 'writing',
        bytes_written: 40_000,
        chunks_written: 1,
        progress: 40_000 / file.length,
        rate: expect.any(Number) as number,
        eta: expect.any(Number) as number,
        missing: [[40_000, file.length - 1]],
        container_id: expect.any(String) as string,
        created_at: expect.any(Number) as number,
        updated_at: expect.any(Number) as number,
        track_id: null,
        error: null,
      });
      await client().chunk(id, file, 40_000, file.length);
      const after = await client().get(`/uploads/${id}`);
      expect(after.json).toMatchObject({
        status: 'completed',
        progress: 1,
        eta: 0,
        missing: [],
        track_id: sha256(file),
      });
    });

    it('whose chunks come all at once gives one track, listed once', async () => {
      const file = recording();
      const id = await client().begin(file.length);
      const size = Math.ceil(file.length / 16);
      const starts = Array.from({ length: 16 }, (_, index) => index * size);
      const send = (first: number): Promise<Answer> =>
        client().chunk(id, file, first, Math.min(file.length, first + size));
      const answers = await Promise.all([...starts, ...starts].map(send));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      const tracks = answers.flatMap(({ json }) => json['track_id'] ?? []);
      expect(new Set(tracks)).toEqual(new Set([sha256(file)]));
      const listed = (await client().get('/tracks')).json['tracks'] as { track_id: string; duration_seconds: number }[];
      const found = listed.filter(({ track_id }) => track_id === sha256(file));
      expect(found).toMatchObject([{ duration_seconds: madeSeconds(frames), sample_rate: 44_100, channels: 2 }]);
    });

    it('that is no MP3 fails for good: 415, then 409', async () => {
      const file = Buffer.from(`RIFF....WAVEfmt ${randomUUID()}`);
      const id = await client().begin(file.length);
      await client().chunk(id, file, 0, 10);
      expectProblem(await client().chunk(id, file, 10, file.length), 415, /not an MP3/);
      expectProblem(await client().chunk(id, file, 0, 10), 409, /has failed/);
      expect((await client().get(`/uploads/${id}`)).json).toMatchObject({
        status: 'failed',
        error: 'The file is not an MP3 (MPEG-1 or MPEG-2 audio, Layer III).',
      });
      expectProblem(await client().get(`/tracks/${sha256(file)}/download`), 404, /no track/);
    });
  });
}

/** What is refused leaves no trace. */
export function refusalContract(client: () => Client): void {
  describe('a chunk that is refused', () => {
    const file = recording();
    let id: string;
    beforeAll(async () => {
      id = await client().begin(file.length);
      await client().chunk(id, file, 0, 1_000);
    });

    const put = (path: string, range: string | undefined, body: Uint8Array = new Uint8Array(10)): Promise<Answer> =>
      client().request('PUT', path, {
        body: new Uint8Array(body),
        headers: range === undefined ? {} : { 'content-range': range },
      });

    it.each([
      ['no Content-Range', undefined, 400, /no Content-Range/],
      ['a malformed one', 'bytes 0-9', 400, /cannot be read/],
      ['one that ends before it begins', `bytes 9-0/${file.length}`, 400, /before it begins/],
      ['another length than its range', `bytes 0-99/${file.length}`, 400, /100 bytes; the body has 10/],
      ['another size than announced', 'bytes 0-9/20', 422, /announced/],
      ['a range beyond the end', `bytes ${file.length}-${file.length + 9}/*`, 416, /the last one is/],
      ['other bytes for a range that came', `bytes 0-999/${file.length}`, 409, /came before/],
    ])('%s', async (_name, range, status, detail) => {
      expectProblem(
        await put(`/uploads/${id}`, range, status === 409 ? Buffer.alloc(1_000, 7) : undefined),
        status,
        detail,
      );
    });

    it('one of no upload', async () => {
      expectProblem(await put(`/uploads/${randomUUID()}`, 'bytes 0-9/10'), 404, /no upload/);
      expectProblem(await put('/uploads/..%2f..%2fetc', 'bytes 0-9/10'), 404, /no upload/);
      expectProblem(await client().get(`/uploads/${randomUUID()}`), 404, /no upload/);
    });

    it.each([
      ['no body', undefined, 400, /./],
      ['no size', { filename: 'a.mp3' }, 422, /size/],
      ['a size of text', { filename: 'a.mp3', size: '10' }, 422, /size/],
      ['a size of 0', { filename: 'a.mp3', size: 0 }, 422, /size/],
      ['a fraction', { filename: 'a.mp3', size: 1.5 }, 422, /size/],
      ['no name', { filename: '', size: 10 }, 422, /filename/],
      ['a name with a line feed', { filename: 'a\nb', size: 10 }, 422, /control characters/],
      ['a terabyte', { filename: 'a.mp3', size: 1e12 }, 413, /at most/],
    ])('an upload with %s', async (_name, body, status, detail) => {
      const answer =
        body === undefined ? await client().request('POST', '/uploads') : await client().send('POST', '/uploads', body);
      if (body === undefined) expect(answer.status).toBeGreaterThanOrEqual(400);
      else expectProblem(answer, status, detail);
      expect(answer.status).toBeLessThan(500);
    });

    it('leaves the upload as it was, to be finished', async () => {
      expect((await client().get(`/uploads/${id}`)).json).toMatchObject({ status: 'writing', bytes_written: 1_000 });
      expect((await client().chunk(id, file, 1_000, file.length)).json).toMatchObject({ track_id: sha256(file) });
    });
  });
}
