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
});
