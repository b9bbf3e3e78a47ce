import type { SystemHost } from '@commonhold/server';
import { openState } from 'commonhold';
import type { Socket } from 'socket.io';
import { describe, expect, it, onTestFinished } from 'vitest';
import { system } from '../../src/index.js';
import type { Observation } from '../../src/observations/observation.js';
import { connect } from '../client.js';
import { ownRedis } from '../homes.js';
import { startRoad } from '../place.js';

const here = { latitude: 10, longitude: 20 };

describe('a client that reads nothing', () => {
  const redis = ownRedis();

  it('is cut off before what waits for it fills memory, and others are not', async () => {
    let sockets: SystemHost['sockets'] | undefined;
    const url = await redis.url();
    const { base } = await startRoad({
      variables: { REDIS_URL: url },
      system: { ...system, mount: (host) => system.mount({ ...host, sockets: (sockets = host.sockets) }) },
    });
    const [slow, quick] = [await connect(base, 'slow'), await connect(base, 'quick')];
    const regionId = await slow.go(here);
    await quick.go(here);
    const { conn } = (sockets as SystemHost['sockets']).of('/road').sockets.get(slow.id) as Socket;
    // As the transport is while its buffers are full.
    conn.transport.writable = false;

    const state = await openState({ namespace: 'road', redis: url });
    onTestFinished(() => state.close());
    const channel = state.channel<Partial<Observation>>('observations', { keep: '5m' });
    for (let round = 0; round < 12; round++) {
      await Promise.all(Array.from({ length: 100 }, () => channel.publish({ regionId })));
    }
    await expect.poll(() => quick.heard.filter(({ event }) => event === 'observation').length).toBe(1_200);
    await slow.closed();
    expect(quick.socket.connected).toBe(true);
    await quick.hears('member_left', slow.in(regionId));
  });
});
