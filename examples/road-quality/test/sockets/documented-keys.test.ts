import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ask, connect } from '../client.js';
import { ownRedis } from '../homes.js';
import { startRoad } from '../place.js';

const delhi = { latitude: 28.7037, longitude: 77.2079 };

describe('documented keys', () => {
  const redis = ownRedis();

  /** What redis-cli prints. */
  const cli = (...args: string[]): string =>
    execFileSync('redis-cli', ['-p', String(redis.server.port), ...args], { encoding: 'utf8' }).trim();
  const ttl = (key: string): number => Number(cli('TTL', key));

  it('S3.2, S3.3, S3.11, X.4: are there for redis-cli, as S3 has them', async () => {
    const variables = { REDIS_URL: await redis.url(), ROAD_KEY_LAYOUT: 'documented' };
    const { base } = await startRoad({ variables });
    const [ada, bob] = [await connect(base, 'ada'), await connect(base, 'bob')];
    await ada.go(delhi);
    await bob.go(delhi);
    expect(cli('KEYS', 'road:session:*').split('\n').toSorted()).toEqual(
      [`road:session:${ada.id}`, `road:session:${bob.id}`].toSorted(),
    );
    const session = JSON.parse(cli('GET', `road:session:${ada.id}`)) as Record<string, unknown>;
    expect(session).toEqual({
      socketId: ada.id,
      userId: 'ada',
      currentRegionId: 'ttngkc',
      lastLocation: delhi,
      connectedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      lastActivityAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      userAgent: 'test-car/1.0',
    });
    expect(cli('SMEMBERS', 'road:user:ada:sessions')).toBe(ada.id);
    expect(cli('SMEMBERS', 'road:region:ttngkc:members').split('\n').toSorted()).toEqual([ada.id, bob.id].toSorted());
    expect(Math.abs(Number(cli('GET', `road:heartbeat:${ada.id}`)) - Date.now())).toBeLessThan(60_000);
    expect(ttl(`road:heartbeat:${ada.id}`)).toBeGreaterThan(200);
    expect(ttl(`road:heartbeat:${ada.id}`)).toBeLessThanOrEqual(300);
    for (const key of [`road:session:${ada.id}`, 'road:user:ada:sessions', 'road:region:ttngkc:members']) {
      expect(ttl(key), key).toBeGreaterThan(250);
      expect(ttl(key), key).toBeLessThanOrEqual(3_600);
    }
    ada.socket.disconnect();
    await expect.poll(() => cli('SMEMBERS', 'road:region:ttngkc:members')).toBe(bob.id);
    expect(cli('EXISTS', `road:session:${ada.id}`, `road:heartbeat:${ada.id}`, 'road:user:ada:sessions')).toBe('0');
  });

  it('K6: may have another prefix, such as one that a Cluster takes', async () => {
    const variables = { REDIS_URL: await redis.url(), ROAD_KEY_LAYOUT: 'documented', ROAD_KEY_PREFIX: '{road}' };
    const { base } = await startRoad({ variables });
    const ada = await connect(base, 'ada');
    await ada.go(delhi);
    expect(cli('SMEMBERS', '{road}:region:ttngkc:members')).toBe(ada.id);
  });

  it('are compact unless asked for', async () => {
    const { base } = await startRoad({ variables: { REDIS_URL: await redis.url() } });
    const ada = await connect(base, 'ada');
    await ada.go(delhi);
    expect(cli('KEYS', 'road:session:*')).toBe('');
    expect((await ask(`${base}/users/ada/presence`)).json).toMatchObject({ sockets: [ada.id] });
  });
});
