import { describe, expect, it } from 'vitest';
import { ask, connect } from '../client.js';
import { ownRedis } from '../homes.js';
import { startRoad } from '../place.js';

const here = { latitude: 10, longitude: 20 };

describe('a socket that is silent, on Redis', () => {
  const redis = ownRedis();

  it('S3.5: is gone by itself, with no cron', { timeout: 40_000 }, async () => {
    const road = await startRoad({ variables: { REDIS_URL: await redis.url(), ROAD_SILENCE_SECONDS: '10' } });
    const [silent, alive] = [await connect(road.base, 'silent'), await connect(road.base, 'alive')];
    const regionId = await silent.go(here);
    await alive.go(here);
    const beat = setInterval(() => alive.socket.emit('heartbeat'), 1_000);
    await alive.hears('member_left', silent.in(regionId), 20_000).finally(() => clearInterval(beat));
    const { json } = await ask(`${road.base}/regions/${regionId}/members`);
    expect(json['members']).toMatchObject([alive.in(regionId)]);
  });
});
