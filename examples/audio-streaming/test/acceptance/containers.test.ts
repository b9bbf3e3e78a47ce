import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, pause, type RedisServer, startRedisServer, waitUntil } from 'commonhold/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../client.js';
import { decode, speech, speechSeconds, spokenText } from '../samples.js';
import { type Container, type LogLine, startContainer } from './server-process.js';

interface Containers {
  readonly containers: { readonly container_id: string; readonly holds: readonly { readonly name: string }[] }[];
  readonly orphans: { readonly name: string; readonly container_id: string }[];
  readonly taken_over: { readonly name: string; readonly from: string; readonly container_id: string }[];
}

describe('the audio system in three containers', () => {
  let dataDirectory: string;
  let redis: RedisServer;
  const all: Container[] = [];

  beforeEach(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'commonhold-audio-'));
    redis = await startRedisServer();
  }, 30_000);
  afterEach(async () => {
    await Promise.all(all.splice(0).map((container) => container.end('SIGKILL')));
    await redis.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }, 30_000);

  async function start(environment: Record<string, string> = {}): Promise<Client> {
    const common = { DATA_DIR: dataDirectory, REDIS_URL: redis.url, AUDIO_SEGMENT_SECONDS: '1', ...environment };
    const names = ['container-1', 'container-2', 'container-3'];
    all.push(...(await Promise.all(names.map((name) => startContainer(name, common)))));
    return new Client(all.map(({ url }) => url));
  }

  const logged = (message: string): LogLine[] => all.flatMap(({ lines }) => lines.filter(({ msg }) => msg === message));
  const named = (name: unknown): Container => all.find((one) => one.name === name) as Container;
  const containers = async (client: Client): Promise<Containers> =>
    (await client.get('/containers')).json as unknown as Containers;

  it(
    'S2.5: fifty requests at once, spread over them, make one conversion, and all get its id',
    { timeout: 60_000 },
    async () => {
      const client = await start({ AUDIO_SEGMENT_DELAY_MS: '100' });
      const trackId = await client.upload(await speech(), 6);
      const ids = await Promise.all(Array.from({ length: 50 }, () => client.convert(trackId, 'ada')));
      expect(new Set(ids)).toEqual(new Set([`${trackId}.ada`]));
      const done = await client.converted(trackId, 'ada');
      expect(done).toMatchObject({ status: 'completed', total_segments: 12, processed_segments: 12, attempts: 1 });
      await client.convert(trackId, 'ada');
      await pause(500);
      // What each container wrote to its log, not what the store says.
      const begun = logged('conversion begins');
      expect(begun).toHaveLength(1);
      expect(begun[0]).toMatchObject({ conversion: ids[0], container: done['container_id'] });
      expect(logged('conversion ends')).toMatchObject([{ total: 12, made: 12 }]);
    },
  );

  it(
    'S2.14: the converting container is killed with -9; another finishes, no segment is missing, and all of it can be heard',
    { timeout: 90_000 },
    async () => {
      const client = await start({ AUDIO_SEGMENT_DELAY_MS: '500' });
      const trackId = await client.upload(await speech(), 6);
      const id = await client.convert(trackId, 'ada');
      const processed = async (): Promise<number> =>
        Number((await client.progress(trackId, 'ada'))['processed_segments']);
      await waitUntil('a few segments', async () => (await processed()) >= 3, { timeoutMs: 10_000 });
      const { container_id: first } = await client.progress(trackId, 'ada');
      const holder = (await containers(client)).containers.find(({ container_id }) => container_id === first);
      expect(holder?.holds.map(({ name }) => name)).toEqual([`conversion:${id}`]);
      await named(first).end('SIGKILL');
      const killedAtMs = performance.now();
      const survivors = all.filter(({ name }) => name !== first);
      const rest = new Client(survivors.map(({ url }) => url));

      const owner = async (): Promise<unknown> => (await rest.progress(trackId, 'ada'))['container_id'];
      await waitUntil('another to take over', async () => (await owner()) !== first, { timeoutMs: 15_000 });
      expect(performance.now() - killedAtMs).toBeLessThan(8_000);
      const done = await rest.converted(trackId, 'ada', 30_000);
      expect(done).toMatchObject({ status: 'completed', total_segments: 12, processed_segments: 12, attempts: 2 });

      const begun = logged('conversion begins');
      expect(begun.map(({ container, attempt }) => [container, attempt])).toEqual(
        expect.arrayContaining([
          [first, 1],
          [done['container_id'], 2],
        ]),
      );
      expect(begun).toHaveLength(2);
      // What the dead one had made was not made again.
      const [ended] = logged('conversion ends');
      expect(ended?.made).toBeLessThanOrEqual(9);
      expect(ended?.made).toBeGreaterThan(0);
      const stream = join(dataDirectory, 'audio', 'hls', trackId, 'ada');
      const names = Array.from({ length: 12 }, (_, index) => `segment-${index}.mp3`);
      expect(new Set((await readdir(stream)).filter((name) => !name.endsWith('.tmp')))).toEqual(
        new Set(['plan.json', 'playlist.m3u8', ...names]),
      );
      await expectSpeech(rest, trackId, 'ada');

      expect((await containers(rest)).taken_over).toMatchObject([
        { name: `conversion:${id}`, from: first, container_id: done['container_id'] },
      ]);
      const living = async (): Promise<string[]> =>
        (await containers(rest)).containers.map(({ container_id }) => container_id);
      await waitUntil('the dead one to be gone', async () => (await living()).length === 2, { timeoutMs: 20_000 });
      const orphans = async (): Promise<number> => (await containers(rest)).orphans.length;
      await waitUntil('what it held to be struck off', async () => (await orphans()) === 0, { timeoutMs: 5_000 });
    },
  );

  it('a stopped container gives its conversion back at once', { timeout: 60_000 }, async () => {
    const client = await start({ AUDIO_SEGMENT_DELAY_MS: '700', DRAIN_NOTICE_MS: '0' });
    const trackId = await client.upload(await speech(), 2);
    await client.convert(trackId, 'ada');
    const progress = (): Promise<Record<string, unknown>> => client.progress(trackId, 'ada');
    await waitUntil('the first segment', async () => Number((await progress())['processed_segments']) >= 1, {
      timeoutMs: 10_000,
    });
    const { container_id: first } = await progress();
    await named(first).end('SIGTERM');
    const rest = new Client(all.filter(({ name }) => name !== first).map(({ url }) => url));
    // A stop is no failed attempt.
    expect(await rest.converted(trackId, 'ada', 30_000)).toMatchObject({
      status: 'completed',
      total_segments: 12,
      attempts: 1,
    });
    await expectSpeech(rest, trackId, 'ada');
  });

  it(
    'S2.14: chunks through three containers, one of which dies in between; what it knew is known to the others',
    { timeout: 60_000 },
    async () => {
      const client = await start();
      const file = await speech();
      const id = await client.begin(file.length);
      const third = Math.ceil(file.length / 3);
      const chunk = (base: Client, index: number): ReturnType<Client['chunk']> =>
        base.chunk(id, file, index * third, Math.min(file.length, (index + 1) * third));
      expect((await chunk(named('container-1').client, 2)).json).toMatchObject({
        status: 'writing',
        chunks_written: 1,
      });
      await named('container-1').end('SIGKILL');
      expect((await chunk(named('container-2').client, 0)).json).toMatchObject({
        status: 'writing',
        chunks_written: 2,
      });
      const upload = (await named('container-3').client.get(`/uploads/${id}`)).json;
      expect(upload).toMatchObject({ container_id: 'container-2', missing: [[third, 2 * third - 1]] });
      const last = await chunk(named('container-3').client, 1);
      const trackId = last.json['track_id'] as string;
      expect((await named('container-2').client.get(`/tracks/${trackId}/download`)).bytes).toEqual(file);
    },
  );

  it(
    'S2.19: find Redis by host, port and password, and name themselves as they are told',
    { timeout: 60_000 },
    async () => {
      const locked = await startRedisServer();
      await locked.command('ACL', 'SETUSER', 'default', 'resetpass', '>open sesame');
      try {
        const variables = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(locked.port), REDIS_PASSWORD: 'open sesame' };
        const container = await startContainer('studio-7', { DATA_DIR: dataDirectory, ...variables });
        all.push(container);
        const trackId = await container.client.upload(await speech(), 2);
        await container.client.convert(trackId, 'ada');
        expect(await container.client.converted(trackId, 'ada')).toMatchObject({
          status: 'completed',
          container_id: 'studio-7',
        });
        expect(await (await fetch(`${container.url}/health`)).json()).toMatchObject({ redis: 'connected' });
      } finally {
        await locked.stop();
      }
    },
  );

  it(
    'a Redis that is absent at the start: the page is there, the rest is refused; then all is well',
    { timeout: 60_000 },
    async () => {
      const port = await freePort();
      const container = await startContainer('early', {
        DATA_DIR: dataDirectory,
        REDIS_URL: `redis://127.0.0.1:${port}`,
      });
      all.push(container);
      expect((await container.client.get('/')).status).toBe(200);
      expect((await container.client.send('POST', '/uploads', { filename: 'a.mp3', size: 10 })).status).toBe(503);
      const late = await startRedisServer({ port });
      try {
        const begins = async (): Promise<boolean> =>
          (await container.client.send('POST', '/uploads', { filename: 'a.mp3', size: 10 })).status === 201;
        await waitUntil('uploads to be taken', begins, { timeoutMs: 8_000, everyMs: 100 });
        const trackId = await container.client.upload(await speech(), 2);
        await container.client.convert(trackId, 'ada');
        expect(await container.client.converted(trackId, 'ada')).toMatchObject({ status: 'completed' });
      } finally {
        await late.stop();
      }
    },
  );

  it(
    'S2.18: text and word timings are one copy for all; timings are computed by one',
    { timeout: 60_000 },
    async () => {
      const client = await start();
      const trackId = await client.upload(await speech(), 2);
      await client.send('PUT', `/tracks/${trackId}/text`, { text: spokenText });
      const timings = await Promise.all(
        Array.from({ length: 30 }, () => client.get(`/tracks/${trackId}/timings?voice_id=ada`)),
      );
      const computed = new Set(
        timings.map(({ json }) => `${String(json['container_id'])} ${String(json['computed_at'])}`),
      );
      expect(computed.size).toBe(1);
      for (let round = 0; round < 6; round++)
        expect((await client.get(`/tracks/${trackId}/text`)).json['text']).toBe(spokenText);
      const keys = (await redis.command('KEYS', '*')) as string[];
      expect(keys.filter((key) => key.includes(':cache:') && key.includes(trackId))).toHaveLength(1);
    },
  );

  it(
    'a Redis that hangs for two seconds while one converts: the conversion does not notice',
    { timeout: 60_000 },
    async () => {
      const client = await start({ AUDIO_SEGMENT_DELAY_MS: '300' });
      const trackId = await client.upload(await speech(), 2);
      await client.convert(trackId, 'ada');
      const begun = async (): Promise<boolean> =>
        Number((await client.progress(trackId, 'ada'))['processed_segments']) >= 2;
      await waitUntil('a few segments', begun, { timeoutMs: 10_000 });
      redis.pause();
      await pause(2_000);
      redis.resume();
      await waitUntil('an answer', async () => (await client.get('/containers')).status === 200, { timeoutMs: 8_000 });
      expect(await client.converted(trackId, 'ada', 30_000)).toMatchObject({ status: 'completed', attempts: 1 });
      expect(logged('conversion begins')).toHaveLength(1);
      await expectSpeech(client, trackId, 'ada');
    },
  );

  it(
    'a Redis that hangs: what is on the disk is heard on, the rest is refused at once; then all is well',
    { timeout: 60_000 },
    async () => {
      const client = await start();
      const trackId = await client.upload(await speech(), 2);
      await client.convert(trackId, 'ada');
      await client.converted(trackId, 'ada');
      redis.pause();
      await pause(700);
      const startedAtMs = performance.now();
      expect((await client.get(`/tracks/${trackId}/ada/segment-0.mp3`)).status).toBe(200);
      expect((await client.get(`/tracks/${trackId}/download`)).status).toBe(200);
      expect((await client.get('/containers')).status).toBe(503);
      expect((await client.send('POST', `/tracks/${trackId}/conversions`, { voice_id: 'eve' })).status).toBe(503);
      expect(performance.now() - startedAtMs).toBeLessThan(4_000);
      redis.resume();
      const asked = async (): Promise<boolean> =>
        (await client.send('POST', `/tracks/${trackId}/conversions`, { voice_id: 'eve' })).status === 202;
      await waitUntil('recovery', asked, { timeoutMs: 8_000, everyMs: 100 });
      expect(await client.converted(trackId, 'eve', 20_000)).toMatchObject({ status: 'completed', total_segments: 12 });
    },
  );
});

/** Decodes the stream as a player would, one segment behind the other, with a decoder that is not ours. */
async function expectSpeech(client: Client, trackId: string, voiceId: string): Promise<void> {
  const { lines, segments } = await client.stream(trackId, voiceId);
  expect(segments).toHaveLength(12);
  const lengths = lines.flatMap((line) => /^#EXTINF:([\d.]+),$/.exec(line)?.[1] ?? []).map(Number);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeCloseTo(speechSeconds, 4);
  const sound = await decode(Buffer.concat(segments));
  expect(Math.abs(sound.seconds - speechSeconds)).toBeLessThan(0.08);
  expect(sound.peak).toBeGreaterThan(0.1);
}
