import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { framesOf } from '../src/mp3/frame-walk.js';
import { type Answer, Client, expectProblem } from './client.js';
import { madeMp3, madeSeconds } from './made-mp3.js';

/** Containers of one system, somewhere. */
export interface Deployment {
  /** Their addresses, with the path of the system; requests are spread over them. */
  readonly bases: readonly string[];
  close(): Promise<void>;
}

/** Ten seconds of silence that no other test has. */
const recording = (): Buffer => madeMp3({ frames: 383, title: randomUUID() });
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What every deployment of the audio system keeps, through HTTP alone; other people's data may be in it. */
export function contract(open: () => Promise<Deployment>): void {
  let deployment: Deployment | undefined;
  let client: Client;
  beforeAll(async () => {
    deployment = await open();
    client = new Client(deployment.bases);
  }, 60_000);
  afterAll(() => deployment?.close());

  uploadContract(() => client);
  refusalContract(() => client);
  conversionContract(() => client);
  textContract(() => client);
  downloadContract(() => client);
}

function uploadContract(client: () => Client): void {
  describe('an upload', () => {
    it('S2.6: takes chunks through any container, out of order and repeated; the last gives the SHA-256', async () => {
      const file = recording();
      const id = await client().begin(file.length);
      const answers: Answer[] = [];
      for (const [first, end] of [[100_000, file.length], [0, 50_000], [0, 50_000], [40_000, 90_000]] as const) {
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
      expect(after.json).toMatchObject({ status: 'completed', progress: 1, eta: 0, missing: [], track_id: sha256(file) });
    });

    it('whose chunks come all at once gives one track, listed once', async () => {
      const file = recording();
      const id = await client().begin(file.length);
      const size = Math.ceil(file.length / 16);
      const starts = Array.from({ length: 16 }, (_, index) => index * size);
      const send = (first: number): Promise<Answer> => client().chunk(id, file, first, Math.min(file.length, first + size));
      const answers = await Promise.all([...starts, ...starts].map(send));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      const tracks = answers.flatMap(({ json }) => json['track_id'] ?? []);
      expect(new Set(tracks)).toEqual(new Set([sha256(file)]));
      const listed = (await client().get('/tracks')).json['tracks'] as { track_id: string; duration_seconds: number }[];
      const found = listed.filter(({ track_id }) => track_id === sha256(file));
      expect(found).toMatchObject([{ duration_seconds: madeSeconds(383), sample_rate: 44_100, channels: 2 }]);
    });

    it('that is no MP3 fails for good: 415, then 409', async () => {
      const file = Buffer.from(`RIFF....WAVEfmt ${randomUUID()}`);
      const id = await client().begin(file.length);
      await client().chunk(id, file, 0, 10);
      expectProblem(await client().chunk(id, file, 10, file.length), 415, /not an MP3/);
      expectProblem(await client().chunk(id, file, 0, 10), 409, /has failed/);
      expect((await client().get(`/uploads/${id}`)).json).toMatchObject({ status: 'failed', error: /not an MP3/ as unknown });
      expectProblem(await client().get(`/tracks/${sha256(file)}/download`), 404, /no track/);
    });
  });
}

function refusalContract(client: () => Client): void {
  describe('a chunk that is refused', () => {
    const file = recording();
    let id: string;
    beforeAll(async () => {
      id = await client().begin(file.length);
      await client().chunk(id, file, 0, 1_000);
    });

    const put = (path: string, range: string | undefined, body: Uint8Array = new Uint8Array(10)): Promise<Answer> =>
      client().request('PUT', path, { body: new Uint8Array(body), headers: range === undefined ? {} : { 'content-range': range } });

    it.each([
      ['no Content-Range', undefined, 400, /no Content-Range/],
      ['a malformed one', 'bytes 0-9', 400, /cannot be read/],
      ['one that ends before it begins', `bytes 9-0/${file.length}`, 400, /before it begins/],
      ['another length than its range', `bytes 0-99/${file.length}`, 400, /100 bytes; the body has 10/],
      ['another size than announced', 'bytes 0-9/20', 422, /announced/],
      ['a range beyond the end', `bytes ${file.length}-${file.length + 9}/*`, 416, /the last one is/],
      ['other bytes for a range that came', `bytes 0-999/${file.length}`, 409, /came before/],
    ])('%s', async (_name, range, status, detail) => {
      expectProblem(await put(`/uploads/${id}`, range, status === 409 ? Buffer.alloc(1_000, 7) : undefined), status, detail);
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
      const answer = body === undefined ? await client().request('POST', '/uploads') : await client().send('POST', '/uploads', body);
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

function conversionContract(client: () => Client): void {
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
      expect(startSeconds).toBeCloseTo(madeSeconds(383), 6);
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
        expectProblem(method === 'GET' ? await client().get(url) : await client().send(method, url, body), 404, /no track/);
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
      expect(container).toMatchObject({ container_id: expect.any(String) as string, holds: expect.any(Array) as unknown[] });
      expect(container['owner']).toMatch(new RegExp(`^${String(container['container_id'])}#`));
    }
  });
}

function textContract(client: () => Client): void {
  describe('the spoken text', () => {
    it('S2.7: is cached with its size, its uses, the state of its file and its end', async () => {
      const trackId = await client().upload(recording(), 1);
      const path = `/tracks/${trackId}/text`;
      expectProblem(await client().get(path), 404, /no text/);
      expect((await client().send('PUT', path, { text: 'Grüße' })).json).toEqual({ track_id: trackId, size: 7 });
      const first = (await client().get(path)).json;
      const expected = { track_id: trackId, text: 'Grüße', size: 7, file_mtime_ns: /^\d{19}$/, container_id: /./ };
      expect(first).toMatchObject({ track_id: trackId, text: 'Grüße', size: 7, access_count: 1 });
      expect(String(first['file_mtime_ns'])).toMatch(expected.file_mtime_ns);
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
      expect([plain.bytes.toString(), plain.headers.get('content-type')]).toEqual(['three', 'text/plain; charset=utf-8']);
    });

    it('S2.8: its word timings are computed once for all, until the text changes', async () => {
      const trackId = await client().upload(recording(), 1);
      const path = `/tracks/${trackId}/timings?voice_id=ada`;
      expectProblem(await client().get(path), 404, /no text/);
      await client().send('PUT', `/tracks/${trackId}/text`, { text: 'ask not what' });
      const all = await Promise.all(Array.from({ length: 12 }, () => client().get(path)));
      const first = all[0]?.json ?? {};
      for (const { json } of all) expect(json).toEqual(first);
      expect(first).toMatchObject({ track_id: trackId, voice_id: 'ada', method: expect.stringMatching(/estimate/) as string });
      const timings = first['timings'] as { word: string; start: number; end: number }[];
      expect(timings.map(({ word }) => word)).toEqual(['ask', 'not', 'what']);
      expect(timings.at(-1)?.end).toBeLessThanOrEqual(madeSeconds(383));
      await client().send('PUT', `/tracks/${trackId}/text`, { text: 'what your country can do' });
      expect((await client().get(path)).json['timings']).toHaveLength(5);
      expectProblem(await client().get(`/tracks/${trackId}/timings`), 422, /voice_id/);
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

function downloadContract(client: () => Client): void {
  describe('a download', () => {
    it('gives the original bytes, or the range asked for', async () => {
      const file = recording();
      const trackId = await client().upload(file);
      const path = `/tracks/${trackId}/download`;
      const whole = await client().get(path);
      expect([whole.status, whole.headers.get('accept-ranges')]).toEqual([200, 'bytes']);
      expect(whole.bytes).toEqual(file);
      for (const [range, first, end] of [['bytes=0-99', 0, 100], ['bytes=1000-', 1_000, file.length], ['bytes=-5', file.length - 5, file.length]] as const) {
        const part = await client().get(path, { range });
        expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes ${first}-${end - 1}/${file.length}`]);
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
