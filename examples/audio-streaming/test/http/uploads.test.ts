import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RedisStateManager } from '../../src/index.js';
import { startAudio } from '../audio.js';
import { expectProblem } from '../client.js';
import { ownRedis } from '../homes.js';
import { madeMp3 } from '../made-mp3.js';
import { opener } from '../two-containers.js';

describe('uploads', () => {
  it('leave nothing of a chunk whose client goes away in the middle, and go on', async () => {
    const { client, url, dataDirectory } = await startAudio();
    const file = madeMp3({ title: 'broken off' });
    const id = await client.begin(file.length);
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const range = `bytes 0-${file.length - 1}/${file.length}`;
    socket.write(
      `PUT /uploads/${id} HTTP/1.1\r\nHost: a\r\nContent-Length: ${file.length}\r\nContent-Range: ${range}\r\n\r\n`,
    );
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
    for (const type of ['audio/mpeg', 'application/json', 'application/x-www-form-urlencoded', 'x-unknown/kind']) {
      const file = madeMp3({ title: type });
      const id = await client.begin(file.length);
      const headers = { 'content-type': type, 'content-range': `bytes 0-${file.length - 1}/${file.length}` };
      const { status, json } = await client.request('PUT', `/uploads/${id}`, { headers, body: new Uint8Array(file) });
      expect([type, status, json['status']]).toEqual([type, 200, 'completed']);
    }
  });

  it('take a chunk whose length nobody told, as far as its range goes, and hold up nothing after', async () => {
    const { client, server } = await startAudio();
    const file = madeMp3({ title: 'streamed' });
    const id = await client.begin(file.length);
    const send = (bytes: Buffer): ReturnType<typeof client.request> => {
      const headers = { 'content-range': `bytes 0-${file.length - 1}/${file.length}` };
      const body = new Blob([new Uint8Array(bytes)]).stream();
      const init: RequestInit = { headers, body, duplex: 'half' };
      return client.request('PUT', `/uploads/${id}`, init);
    };
    expectProblem(await send(file.subarray(0, -1)), 400, /came/);
    expectProblem(await send(Buffer.concat([file, Buffer.alloc(200_000)])), 400, /more came/);
    expect((await send(file)).json).toMatchObject({ status: 'completed' });
    await server.stop();
  });

  it('have at most as many bytes as they may', async () => {
    const { client } = await startAudio({ variables: { AUDIO_UPLOAD_BYTES: '10000' } });
    expectProblem(await client.send('POST', '/uploads', { filename: 'a', size: 10_001 }), 413, /10000 bytes/);
    await client.begin(10_000);
  });
});

describe('an upload of many chunks', () => {
  const redis = ownRedis();

  it('takes 2,000 of them, and repeats of those', async () => {
    const redisUrl = await redis.url();
    const { client } = await startAudio({ redisUrl });
    const file = Buffer.alloc(10_000);
    const id = await client.begin(file.length);
    await client.chunk(id, file, 0, 10);
    const state = await opener(redisUrl)({ namespace: 'audio', owner: 'test' });
    await new RedisStateManager(state, 'uploads').updateSession(id, { chunks_written: 1_999 });
    expect((await client.chunk(id, file, 20, 30)).json).toMatchObject({ chunks_written: 2_000 });
    expectProblem(await client.chunk(id, file, 9_000, 9_001), 422, /2000 chunks/);
    expect((await client.chunk(id, file, 0, 10)).json).toMatchObject({ chunks_written: 2_000, bytes_written: 20 });
  });
});
