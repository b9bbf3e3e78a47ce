import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startAudio } from '../audio.js';
import { madeMp3 } from '../made-mp3.js';

describe('a download', () => {
  it('S2.6: that is broken off is told of as such, with what had left', async () => {
    const { client, url } = await startAudio();
    const file = madeMp3({ frames: 40_000, title: 'large' });
    const trackId = await client.upload(file);
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /tracks/${trackId}/download HTTP/1.1\r\nHost: a\r\n\r\n`);
    const head = await new Promise<string>((resolve) =>
      socket.once('data', (bytes) => resolve(bytes.toString('latin1'))),
    );
    socket.pause();
    const id = /^download-id: (.*)\r$/im.exec(head)?.[1] ?? '';
    const download = async (): Promise<Record<string, unknown>> => (await client.get(`/downloads/${id}`)).json;
    await expect.poll(download).toMatchObject({ status: 'sending', size: file.length, track_id: trackId });
    socket.destroy();
    await expect.poll(async () => (await download())['status']).toBe('aborted');
    expect((await download())['bytes_sent']).toBeLessThan(file.length);
  });

  it('gives the ranges of RFC 9110: all of a file for more last bytes than it has, all of it for what is no range', async () => {
    const { client } = await startAudio();
    const file = madeMp3({ frames: 20 });
    const path = `/tracks/${await client.upload(file)}/download`;
    const all = await client.get(path, { range: `bytes=-${file.length + 1}` });
    expect([all.status, all.headers.get('content-range')]).toEqual([206, `bytes 0-${file.length - 1}/${file.length}`]);
    expect(all.bytes.equals(file)).toBe(true);
    for (const range of ['bytes=-0', `bytes=${file.length}-`]) {
      expect((await client.get(path, { range })).status, range).toBe(416);
    }
    for (const range of ['bytes=1-2-3', 'bytes=a-b', 'bytes=', 'bytes=0-1,', 'lines=0-1', 'bytes=0-1, 5-6']) {
      const whole = await client.get(path, { range });
      expect([whole.status, whole.bytes.length], range).toEqual([200, file.length]);
    }
  });

  it('is resumed by a strong tag alone', async () => {
    const { client } = await startAudio();
    const path = `/tracks/${await client.upload(madeMp3({ frames: 20 }))}/download`;
    const tag = (await client.get(path)).headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[^"]+"$/);
    const status = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await client.get(path, headers)).status;
    const resume = (known: string): Promise<number> => status({ range: 'bytes=5-9', 'if-range': known });
    expect([await resume(tag), await resume(`W/${tag}`), await resume('"another"')]).toEqual([206, 200, 200]);
    expect([
      await status({ 'if-none-match': tag, 'cache-control': 'max-age=0' }),
      await status({ 'if-match': tag }),
    ]).toEqual([304, 200]);
    expect(await status({ 'if-match': '"another"' })).toBe(412);
  });

  it('says by HEAD what GET would', async () => {
    const { client } = await startAudio();
    const path = `/tracks/${await client.upload(madeMp3({ frames: 20 }))}/download`;
    const [get, head] = [await client.get(path), await client.request('HEAD', path)];
    for (const name of ['content-type', 'content-length', 'etag', 'accept-ranges'])
      expect(head.headers.get(name), name).toBe(get.headers.get(name));
    expect(head.bytes).toHaveLength(0);
  });
});
