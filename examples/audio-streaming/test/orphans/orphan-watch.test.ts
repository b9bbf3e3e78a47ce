import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openAudioState } from '../../src/audio-state.js';
import { conversionHold } from '../../src/conversion/conversion-hold.js';
import { ChunkStore } from '../../src/files/chunk-store.js';
import { readSettings } from '../../src/settings.js';
import { uploadHold } from '../../src/uploads/finish-upload.js';
import { startAudio } from '../audio.js';
import { ownRedis } from '../homes.js';
import { madeMp3 } from '../made-mp3.js';
import { opener } from '../two-containers.js';

describe('what a container that died has left', () => {
  const redis = ownRedis();

  it('S2.14: an upload that it was joining is finished by one that lives, without another chunk', async () => {
    const redisUrl = await redis.url();
    const audio = await startAudio({ redisUrl });
    const other = await startAudio({ redisUrl, dataDirectory: audio.dataDirectory });
    const open = opener(redisUrl);
    const dying = await openAudioState((options) => open({ ...options, owner: 'dying' }), readSettings({}));
    const file = madeMp3({ title: 'rescued' });
    const id = await audio.client.begin(file.length);
    await audio.client.chunk(id, file, 0, 1_000);
    // The last chunk is on the disk and noted; joining had begun.
    const chunks = new ChunkStore(join(audio.dataDirectory, 'audio'));
    await chunks.receive(id, [1_000, file.length - 1], Readable.from([file.subarray(1_000)]));
    await dying.uploadState.addChunk(id, [1_000, file.length - 1]);
    await dying.owners.hold(uploadHold(id));
    await dying.shared.close();
    const upload = async (): Promise<Record<string, unknown>> => (await other.client.get(`/uploads/${id}`)).json;
    await expect.poll(async () => (await upload())['status'], { timeout: 5_000 }).toBe('completed');
    expect((await upload())['track_id']).toBe(createHash('sha256').update(file).digest('hex'));
    const { json } = await other.client.get('/containers');
    await expect.poll(async () => (await other.client.get('/containers')).json['orphans']).toEqual([]);
    expect(json['containers']).toHaveLength(2);
  });

  it('a conversion that is over is struck off, and one that nobody has begun stays listed until it is', async () => {
    const redisUrl = await redis.url();
    const idle = await startAudio({ redisUrl, variables: { AUDIO_CONVERTERS: '0' } });
    const trackId = await idle.client.upload(madeMp3({ title: 'orphaned' }));
    const waiting = await idle.client.convert(trackId, 'waiting');
    const open = opener(redisUrl);
    const dying = await openAudioState((options) => open({ ...options, owner: 'dying' }), readSettings({}));
    await dying.owners.hold(conversionHold(waiting));
    await dying.owners.hold(conversionHold(`${trackId}.over`));
    await dying.shared.close();
    const orphans = async (): Promise<unknown> => (await idle.client.get('/containers')).json['orphans'];
    const left = [{ name: conversionHold(waiting), container_id: 'dying', since: expect.any(Number) as number }];
    await expect.poll(orphans, { timeout: 5_000 }).toEqual(left);
    await startAudio({ redisUrl, dataDirectory: idle.dataDirectory });
    expect(await idle.client.converted(trackId, 'waiting')).toMatchObject({ status: 'completed' });
    await expect.poll(orphans, { timeout: 5_000 }).toEqual([]);
  });
});
