import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startAudio } from '../audio.js';
import { expectProblem } from '../client.js';
import { madeMp3 } from '../made-mp3.js';

describe('uploads', () => {
  it('leave nothing of a chunk whose client goes away in the middle, and go on', async () => {
    const { client, url, dataDirectory } = await startAudio();
    const file = madeMp3({ title: 'broken off' });
    const id = await client.begin(file.length);
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const range = `bytes 0-${file.length - 1}/${file.length}`;
    socket.write(`PUT /uploads/${id} HTTP/1.1\r\nHost: a\r\nContent-Length: ${file.length}\r\nContent-Range: ${range}\r\n\r\n`);
    socket.write(file.subarray(0, 500));
    const folder = join(dataDirectory, 'audio', 'incoming', id);
    await expect.poll(() => readdir(folder).catch(() => [])).toHaveLength(1);
    socket.destroy();
    await expect.poll(() => readdir(folder)).toEqual([]);
    expect((await client.get(`/uploads/${id}`)).json).toMatchObject({ bytes_written: 0, chunks_written: 0 });
    expect((await client.chunk(id, file, 0, file.length)).json).toMatchObject({ status: 'completed' });
    expect(await readdir(join(dataDirectory, 'audio', 'incoming'))).toEqual([]);
  });

  it('take bytes of any media type, or of none', async () => {
    const { client } = await startAudio();
    for (const type of ['audio/mpeg', 'application/json', 'application/x-www-form-urlencoded', 'nonsense']) {
      const file = madeMp3({ title: type });
      const id = await client.begin(file.length);
      const headers = { 'content-type': type, 'content-range': `bytes 0-${file.length - 1}/${file.length}` };
      const { status, json } = await client.request('PUT', `/uploads/${id}`, { headers, body: new Uint8Array(file) });
      expect([type, status, json['status']]).toEqual([type, 200, 'completed']);
    }
  });

  it('take a chunk whose length nobody told, as far as its range goes', async () => {
    const { client } = await startAudio();
    const file = madeMp3({ title: 'streamed' });
    const id = await client.begin(file.length);
    const send = (bytes: Buffer): ReturnType<typeof client.request> => {
      const headers = { 'content-range': `bytes 0-${file.length - 1}/${file.length}` };
      const body = new Blob([new Uint8Array(bytes)]).stream();
      return client.request('PUT', `/uploads/${id}`, { headers, body, duplex: 'half' } as RequestInit);
    };
    expectProblem(await send(file.subarray(0, -1)), 400, /came/);
    expectProblem(await send(Buffer.concat([file, Buffer.alloc(200_000)])), 400, /more came/);
    expect((await send(file)).json).toMatchObject({ status: 'completed' });
  });

  it('have at most 2,000 chunks, and as many bytes as they may', async () => {
    const { client } = await startAudio({ variables: { AUDIO_UPLOAD_BYTES: '10000' } });
    expectProblem(await client.send('POST', '/uploads', { filename: 'a', size: 10_001 }), 413, /10000 bytes/);
    const id = await client.begin(10_000);
    const file = Buffer.alloc(10_000);
    for (let batch = 0; batch < 20; batch++) {
      const chunks = Array.from({ length: 100 }, (_, index) => (batch * 100 + index) * 2);
      const answers = await Promise.all(chunks.map((first) => client.chunk(id, file, first, first + 1)));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    }
    expectProblem(await client.chunk(id, file, 9_000, 9_001), 422, /2000 chunks/);
    // Repeating one brings nothing new and is fine.
    expect((await client.chunk(id, file, 0, 1)).json).toMatchObject({ chunks_written: 2_000 });
  }, 30_000);
});
