import { createManualClock, type ManualClock } from 'commonhold/testing';
import { describe, expect, it } from 'vitest';
import { system } from '../../src/index.js';
import { ask, connect, type Driver } from '../client.js';
import { type RoadServer, startRoad } from '../place.js';

const here = { latitude: 10, longitude: 20 };

async function socketsIn({ base }: RoadServer, regionId: string): Promise<unknown> {
  const { json } = await ask(`${base}/regions/${regionId}/members`);
  return (json['members'] as { socketId: string }[]).map(({ socketId }) => socketId);
}

/** A server in memory whose time is ours. */
async function onManualClock(): Promise<{ road: RoadServer; clock: ManualClock }> {
  const clock = createManualClock();
  const road = await startRoad({
    system: {
      ...system,
      mount: (host) => system.mount({ ...host, openState: (options) => host.openState({ ...options, clock }) }),
    },
  });
  return { road, clock };
}

describe('a socket that is silent', () => {
  it('S3.5: for five minutes is gone, while one with heartbeats stays', async () => {
    const { road, clock } = await onManualClock();
    const [silent, alive] = [await connect(road.base, 'silent'), await connect(road.base, 'alive')];
    const regionId = await silent.go(here);
    await alive.go(here);
    for (let minute = 1; minute <= 4; minute++) {
      await clock.advance(60_000);
      await alive.send('heartbeat');
    }
    expect(await socketsIn(road, regionId)).toHaveLength(2);
    await clock.advance(70_000);
    expect(await socketsIn(road, regionId)).toEqual([alive.id]);
    await alive.hears('member_left', silent.in(regionId));
    expect((await ask(`${road.base}/users/silent/presence`)).json).toMatchObject({ online: false });
    await comesBack(silent, alive, regionId, clock);
  });

  /** Gone is not for ever: its connection is still there, and a message makes it a member again. */
  async function comesBack(silent: Driver, alive: Driver, regionId: string, clock: ManualClock): Promise<void> {
    await silent.send('heartbeat');
    await clock.advance(10_000);
    await alive.hears('member_joined', silent.in(regionId));
    await alive.go({ latitude: 10, longitude: 21 });
    await silent.hears('member_moved', {
      ...alive.in(regionId),
      regionId: await alive.go({ latitude: 10, longitude: 21 }),
    });
  }
});
