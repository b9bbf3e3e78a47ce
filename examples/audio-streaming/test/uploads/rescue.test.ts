import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openAudioState } from '../../src/audio-state.js';
import { ChunkStore } from '../../src/files/chunk-store.js';
import { readSettings } from '../../src/settings.js';
import { uploadHold } from '../../src/uploads/finish-upload.js';
import { startAudio } from '../audio.js';
import { ownRedis } from '../homes.js';
import { madeMp3 } from '../made-mp3.js';
import { opener } from '../two-containers.js';

describe('an upload whose container died while it joined the chunks', () => {
  const redis = ownRedis();

  it('is finished by one that lives, without another chunk', async () => {
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
});
