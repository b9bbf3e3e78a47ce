import { expect } from 'vitest';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The document, where it is one. */
  readonly json: Record<string, unknown>;
}

/** Somebody who uses the system. Requests go to its containers in turn, as behind a balancer. */
export class Client {
  readonly #bases: readonly string[];
  #turn = 0;

  constructor(bases: readonly string[]) {
    this.#bases = bases;
  }

  async request(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const base = this.#bases[this.#turn++ % this.#bases.length] ?? '';
    const response = await fetch(`${base}${path}`, { ...init, method });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const json = isJson ? (JSON.parse(bytes.toString()) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, bytes, json };
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.request('GET', path, { headers });
  }

  /** Sends JSON. */
  send(method: string, path: string, body: unknown): Promise<Answer> {
    return this.request(method, path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }

  /** Begins an upload and returns its id. */
  async begin(size: number, filename = 'speech.mp3'): Promise<string> {
    const { status, json } = await this.send('POST', '/uploads', { filename, size });
    expect([status, json]).toEqual([201, { upload_id: expect.any(String) as string }]);
    return json['upload_id'] as string;
  }

  /** Sends bytes `first` to `end - 1` of a file. */
  chunk(uploadId: string, file: Buffer, first: number, end: number): Promise<Answer> {
    const headers = { 'content-range': `bytes ${first}-${end - 1}/${file.length}` };
    return this.request('PUT', `/uploads/${uploadId}`, { headers, body: new Uint8Array(file.subarray(first, end)) });
  }

  /** Uploads a file in `chunks` parts and returns its track's id. */
  async upload(file: Buffer, chunks = 3): Promise<string> {
    const id = await this.begin(file.length);
    const size = Math.ceil(file.length / chunks);
    let last: Answer | undefined;
    for (let first = 0; first < file.length; first += size) {
      last = await this.chunk(id, file, first, Math.min(file.length, first + size));
      expect(last.json).toMatchObject({ status: expect.any(String) as string });
    }
    return last?.json['track_id'] as string;
  }

  async convert(trackId: string, voiceId: string): Promise<string> {
    const { status, json } = await this.send('POST', `/tracks/${trackId}/conversions`, { voice_id: voiceId });
    expect(status).toBe(202);
    return json['conversion_id'] as string;
  }

  async progress(trackId: string, voiceId: string): Promise<Record<string, unknown>> {
    return (await this.get(`/tracks/${trackId}/progress?voice_id=${voiceId}`)).json;
  }

  /** Waits until a conversion has ended and returns its progress. */
  async converted(trackId: string, voiceId: string, timeout = 15_000): Promise<Record<string, unknown>> {
    const status = async (): Promise<unknown> => (await this.progress(trackId, voiceId))['status'];
    await expect.poll(status, { timeout, interval: 30 }).toBeOneOf(['completed', 'failed']);
    return this.progress(trackId, voiceId);
  }

  /** The playlist's lines, and every segment that it names. */
  async stream(trackId: string, voiceId: string): Promise<{ lines: string[]; segments: Buffer[] }> {
    const playlist = await this.get(`/tracks/${trackId}/${voiceId}/playlist.m3u8`);
    expect([playlist.status, playlist.headers.get('content-type')]).toEqual([200, 'application/vnd.apple.mpegurl']);
    const lines = playlist.bytes.toString().trimEnd().split('\n');
    const segments: Buffer[] = [];
    for (const name of lines.filter((line) => !line.startsWith('#'))) {
      const segment = await this.get(`/tracks/${trackId}/${voiceId}/${name}`);
      expect([name, segment.status, segment.headers.get('content-type')]).toEqual([name, 200, 'audio/mpeg']);
      segments.push(segment.bytes);
    }
    return { lines, segments };
  }
}

/** Sees that an answer is a problem document of this status, whose detail says this. */
export function expectProblem(answer: Answer, status: number, detail: string | RegExp): void {
  expect(answer).toMatchObject({ status, json: { status, detail: expect.stringMatching(detail) as string } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(Object.keys(answer.json).slice(0, 4)).toEqual(['type', 'title', 'status', 'detail']);
}
