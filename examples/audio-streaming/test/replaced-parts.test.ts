import { describe, expect, it } from 'vitest';
import { createAudioSystem, createCutter } from '../src/index.js';
import { startAudio } from './audio.js';
import { expectProblem } from './client.js';
import { madeMp3 } from './made-mp3.js';

describe('a system with parts of its own', () => {
  it('uses its voice and its word timer, and says which', async () => {
    const voices: string[] = [];
    const converter = createCutter((frames, { voiceId }) => {
      voices.push(voiceId);
      return frames;
    });
    const wordTimer = { method: 'ours', compute: () => [{ word: 'x', start: 0, end: 1 }] };
    const { client } = await startAudio({ system: createAudioSystem({ converter, wordTimer }) });
    const trackId = await client.upload(madeMp3());
    await client.convert(trackId, 'Ada.2');
    expect(await client.converted(trackId, 'Ada.2')).toMatchObject({ status: 'completed', total_segments: 2 });
    expect(voices).toEqual(['Ada.2', 'Ada.2']);
    await client.send('PUT', `/tracks/${trackId}/text`, { text: 'one two' });
    expect((await client.get(`/tracks/${trackId}/timings?voice_id=v`)).json).toMatchObject({
      method: 'ours',
      timings: [{ word: 'x' }],
    });
  });

  it('tries a conversion again that failed, when somebody asks', async () => {
    let broken = true;
    const cutter = createCutter();
    const converter = {
      ...cutter,
      plan: (...job: Parameters<typeof cutter.plan>) =>
        broken ? Promise.reject(new Error('no model here')) : cutter.plan(...job),
    };
    const { client } = await startAudio({ system: createAudioSystem({ converter }) });
    const trackId = await client.upload(madeMp3());
    const id = await client.convert(trackId, 'v');
    expect(await client.converted(trackId, 'v')).toMatchObject({
      status: 'failed',
      error: 'Error: no model here',
      attempts: 3,
    });
    expectProblem(await client.get(`/tracks/${trackId}/v/playlist.m3u8`), 404, /no such file/);
    broken = false;
    expect(await client.convert(trackId, 'v')).toBe(id);
    const status = async (): Promise<unknown> => (await client.progress(trackId, 'v'))['status'];
    await expect.poll(status, { timeout: 10_000 }).toBe('completed');
  }, 30_000);

  it('leaves conversions to others where it converts none itself', async () => {
    const { client } = await startAudio({ variables: { AUDIO_CONVERTERS: '0' } });
    const trackId = await client.upload(madeMp3());
    await client.convert(trackId, 'v');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await client.progress(trackId, 'v')).toMatchObject({
      status: 'pending',
      container_id: null,
      attempts: 0,
      total_segments: 0,
    });
  });
});
