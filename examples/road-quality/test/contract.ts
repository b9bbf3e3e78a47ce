import { randomUUID } from 'node:crypto';
import type { Location } from 'commonhold';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, ask, connect, type Driver, expectProblem, post, refusal } from './client.js';

/** Processes that share one state. */
export interface Processes {
  /** Where the system's paths begin, such as `http://127.0.0.1:5000/road`; requests and sockets are spread over them. */
  readonly bases: readonly string[];
  close(): Promise<void>;
}

/** What they can do. */
export interface ContractOptions {
  /** Whether they have a database. */
  readonly stores: boolean;
}

let places = 0;

/** Two places in one region, and one in the next region to the east, where no other test is. */
function fresh(): { here: Location; near: Location; east: Location; far: Location } {
  // Regions are 0.01098 degrees wide; in steps of 16 of them the three stay in their own.
  const longitude = -100 + 0.003 + (++places * 16 * 360) / 2 ** 15;
  const latitude = 40.001;
  return {
    here: { latitude, longitude },
    near: { latitude, longitude: longitude + 0.000_5 },
    east: { latitude, longitude: longitude + 360 / 2 ** 15 },
    far: { latitude, longitude: longitude + (5 * 360) / 2 ** 15 },
  };
}

/**
 * What every client of the system may rely on, whatever it runs on.
 *
 * @param open called once before the tests; what it resolves with is closed after them.
 */
export function contract(open: () => Promise<Processes>, { stores }: ContractOptions = { stores: true }): void {
  let processes: Processes | undefined;
  let turn = 0;
  beforeAll(async () => {
    processes = await open();
  }, 60_000);
  afterAll(() => processes?.close());

  const base = (): string => {
    const { bases = [] } = processes ?? {};
    return bases[turn++ % bases.length] ?? '';
  };
  const get = (path: string): Promise<Answer> => ask(`${base()}${path}`);
  const report = (body: unknown): Promise<Answer> => post(`${base()}/observations`, body);
  const driver = (userId: string = `user-${randomUUID()}`): Promise<Driver> => connect(base(), userId);
  const members = async (regionId: string, query = ''): Promise<Record<string, unknown>[]> => {
    const { status, json } = await get(`/regions/${regionId}/members${query}`);
    expect(status).toBe(200);
    expect(json['regionId']).toBe(regionId);
    return json['members'] as Record<string, unknown>[];
  };
  const socketsIn = async (regionId: string, query = ''): Promise<string[]> =>
    (await members(regionId, query)).map(({ socketId }) => String(socketId)).toSorted();
  const presence = async (userId: string): Promise<Record<string, unknown>> => {
    const { status, json } = await get(`/users/${encodeURIComponent(userId)}/presence`);
    expect(status).toBe(200);
    return json;
  };

  describe('members', () => {
    it('S3.3: a location is answered with its geohash of 6', async () => {
      const one = await driver();
      expect(await one.send('location', { latitude: 28.7037, longitude: 77.2079 })).toEqual({ regionId: 'ttngkc' });
      expect(await one.send('location', { latitude: 57.649_11, longitude: 10.407_44 })).toEqual({ regionId: 'u4pruy' });
    });

    it('S3.4, S3.9: hear of who joins, moves and leaves, whichever process has the socket', async () => {
      const { here, near, east, far } = fresh();
      const [first, second, third] = [await driver(), await driver(), await driver()];
      const regionId = await first.go(here);
      expect(await second.go(near)).toBe(regionId);
      await first.hears('member_joined', second.in(regionId));
      const next = await third.go(east);
      expect(next).not.toBe(regionId);
      expect(await second.go(east)).toBe(next);
      await first.hears('member_moved', second.in(next));
      await third.hears('member_moved', second.in(next));
      await second.go(far);
      await third.hears('member_moved', second.in(await second.go(far)));
      await second.go(here);
      await first.hears('member_moved', second.in(regionId));
      second.socket.disconnect();
      await first.hears('member_left', second.in(regionId));
      expect(first.about(second)).toEqual(['member_joined', 'member_moved', 'member_moved', 'member_left']);
      expect(third.about(second)).toEqual(['member_moved', 'member_moved']);
      for (const one of [first, second, third]) expect(one.about(one)).toEqual([]);
    });

    it('S3.4: are listed by region, over all processes, without those of other regions', async () => {
      const { here, near, east } = fresh();
      const [one, two, other] = [await driver('ada'), await driver('bob'), await driver('eve')];
      const regionId = await one.go(here);
      await two.go(near);
      const next = await other.go(east);
      const listed = await members(regionId);
      expect(listed).toHaveLength(2);
      expect(listed).toContainEqual({
        ...one.in(regionId),
        lastActivityAt: expect.stringMatching(/^20.*Z$/) as string,
      });
      expect(listed).toContainEqual({
        ...two.in(regionId),
        lastActivityAt: expect.stringMatching(/^20.*Z$/) as string,
      });
      expect(await socketsIn(next)).toEqual([other.id]);
      expect(await socketsIn(regionId, '?neighbours=true')).toEqual([one.id, two.id, other.id].toSorted());
      expect(await socketsIn(regionId, '?neighbours=false')).toEqual([one.id, two.id].toSorted());
      one.socket.disconnect();
      await expect.poll(() => socketsIn(regionId)).toEqual([two.id]);
    });

    it('S3.4: of one user may have many sockets, and the user is online while one is left', async () => {
      const { here, east } = fresh();
      const userId = `Åsa ${randomUUID()}`;
      const offline = { online: false, sockets: [], regionId: null, lastActivityAt: null };
      expect(await presence(userId)).toEqual(offline);
      const one = await driver(userId);
      expect(await presence(userId)).toMatchObject({ online: true, sockets: [one.id], regionId: null });
      const two = await driver(userId);
      const regionId = await one.go(here);
      expect(await presence(userId)).toMatchObject({ online: true, regionId });
      const next = await two.go(east);
      const both = await presence(userId);
      expect(both).toMatchObject({ online: true, regionId: next });
      expect((both['sockets'] as string[]).toSorted()).toEqual([one.id, two.id].toSorted());
      expect(Date.parse(String(both['lastActivityAt']))).toBeGreaterThan(Date.now() - 60_000);
      two.socket.disconnect();
      await expect.poll(() => presence(userId)).toMatchObject({ online: true, sockets: [one.id], regionId });
      one.socket.disconnect();
      await expect.poll(() => presence(userId)).toEqual(offline);
    });

    it('S3.10: that come back are new members', async () => {
      const { here } = fresh();
      const userId = `user-${randomUUID()}`;
      const before = await driver(userId);
      const regionId = await before.go(here);
      before.socket.disconnect();
      const after = await driver(userId);
      expect(after.id).not.toBe(before.id);
      await after.go(here);
      await expect.poll(() => socketsIn(regionId)).toEqual([after.id]);
    });

    it('S3.5: a heartbeat is an activity', async () => {
      const one = await driver();
      await one.go(fresh().here);
      const before = (await presence(one.userId))['lastActivityAt'];
      await new Promise((resolve) => void setTimeout(resolve, 50));
      expect(await one.send('heartbeat')).toEqual({});
      one.socket.emit('heartbeat');
      const later = async (): Promise<boolean> =>
        String((await presence(one.userId))['lastActivityAt']) > String(before);
      // Heartbeats travel with the beat of their process.
      await expect.poll(later, { timeout: 10_000, interval: 200 }).toBe(true);
    });

    it('end where they went last, however fast they go', async () => {
      const { here, east, far } = fresh();
      const one = await driver();
      const answers = await Promise.all(
        [here, east, far, here, east].map((location) => one.send('location', location)),
      );
      const last = (answers.at(-1) as { regionId: string }).regionId;
      expect(await socketsIn(last)).toEqual([one.id]);
      expect(await socketsIn((answers[0] as { regionId: string }).regionId)).toEqual([]);
      const flood = await Promise.all(Array.from({ length: 200 }, () => one.send('location', far)));
      const refused = flood.filter((answer) => 'error' in (answer as object));
      for (const answer of refused) expect(answer).toMatchObject({ error: { status: 429 } });
    });

    it.each([
      [undefined],
      [null],
      ['here'],
      [{}],
      [{ latitude: '1', longitude: 2 }],
      [{ latitude: 91, longitude: 0 }],
      [{ latitude: 0, longitude: -180.1 }],
      [{ latitude: null, longitude: 0 }],
    ])('are told that %j is no location, and stay where they are', async (value) => {
      const one = await driver();
      const regionId = await one.go(fresh().here);
      const answer = await one.send('location', value);
      expect(answer).toMatchObject({ error: { status: 422, detail: expect.stringMatching('expected') as string } });
      one.socket.emit('location', value);
      one.socket.emit('location');
      expect(await socketsIn(regionId)).toEqual([one.id]);
    });

    it.each([
      [{}],
      [{ userId: '' }],
      [{ userId: 7 }],
      [{ userId: 'x'.repeat(101) }],
      [{ userId: 'a\u0000' }],
      [{ userId: ['a'] }],
    ])('are refused as %j', async (auth) =>
      expect(await refusal(base(), auth)).toMatchObject({ data: { status: 400 } }),
    );

    it.each(['ttngk', 'ttngkcx', 'TTNGKC', 'ttngka', '%01%01%01%01%01%01', '******'])(
      'are not listed for %s, which is no region',
      async (id) => {
        expectProblem(await get(`/regions/${id}/members`), 400, /geohash/);
        if (stores) expectProblem(await get(`/segments?regionId=${id}`), 400, /geohash/);
      },
    );

    it('are not listed for questions that make no sense', async () => {
      expectProblem(await get('/regions/ttngkc/members?neighbours=maybe'), 400);
      expectProblem(await get('/users/%0a/presence'), 400);
      expectProblem(await get('/areas?ids=nothing'), 400);
      expectProblem(await get('/areas'), 400);
      expectProblem(await get('/segments'), 400);
    });
  });

  describe('watchers', () => {
    it('hear of an area without being members of it', async () => {
      const { here } = fresh();
      const [watcher, one] = [await driver(), await driver()];
      const regionId = await one.go(here);
      const areaIds = [regionId.slice(0, 4)];
      expect(await watcher.send('watch', { areaIds })).toEqual({ areaIds });
      const two = await driver();
      await two.go(here);
      await watcher.hears('member_joined', two.in(regionId));
      expect(await socketsIn(regionId)).toEqual([one.id, two.id].toSorted());
      expect(await watcher.send('watch', { areaIds: [] })).toEqual({ areaIds: [] });
      two.socket.disconnect();
      await one.hears('member_left', two.in(regionId));
      expect(watcher.about(two)).toEqual(['member_joined']);
    });

    it.each([
      [undefined],
      [{}],
      [{ areaIds: 'ttng' }],
      [{ areaIds: ['ttngkc'] }],
      [{ areaIds: Array(33).fill('ttng') }],
    ])('are told that %j are no areas', async (value) =>
      expect(await (await driver()).send('watch', value)).toMatchObject({ error: { status: 422 } }),
    );

    it('see the regions of an area, with how many are there', async () => {
      const { here } = fresh();
      const one = await driver();
      const regionId = await one.go(here);
      const areaId = regionId.slice(0, 4);
      const seen = async (): Promise<unknown> => {
        const { json } = await get(`/areas?ids=${areaId},zzzz`);
        const [area, empty] = json['areas'] as { areaId: string; regions: { regionId: string }[] }[];
        expect(empty).toEqual({ areaId: 'zzzz', regions: [] });
        return area?.regions.find((region) => region.regionId === regionId);
      };
      // An overview may be two seconds old.
      const expected = { regionId, members: 1, quality: null, observations: 0 };
      await expect.poll(seen, { timeout: 6_000, interval: 300 }).toEqual(expected);
    });
  });

  if (!stores) return;
  describe('observations', () => {
    const here = (): Location & { userId: string; quality: number } => ({
      userId: 'ada',
      quality: 70,
      ...fresh().here,
    });
    const segments = async (regionId: unknown): Promise<Record<string, unknown>[]> => {
      const { status, json } = await get(`/segments?regionId=${String(regionId)}`);
      expect(status).toBe(200);
      expect(json['regionId']).toBe(regionId);
      return json['segments'] as Record<string, unknown>[];
    };

    it('S3.1: are stored, and folded into their road segment', async () => {
      const one = here();
      const { status, json } = await report(one);
      expect(status).toBe(201);
      expect(json).toMatchObject(one);
      const { regionId, segmentId } = json as { regionId: string; segmentId: string };
      expect(segmentId).toMatch(new RegExp(`^${regionId}[0-9a-z]{2}$`));
      expect((await report({ ...one, quality: 20.5 })).status).toBe(201);
      expect(await segments(regionId)).toEqual([
        { segmentId, regionId, quality: 45.25, observations: 2, lastObservedAt: expect.any(String) as string },
      ]);
      expect((await get(`/areas?ids=${regionId.slice(0, 4)}`)).status).toBe(200);
    });

    it('sent twice under one id count once; another one under that id is 409', async () => {
      const one = { ...here(), observationId: randomUUID() };
      const [first, second] = [await report(one), await report(one)];
      expect([first.status, second.status]).toEqual([201, 200]);
      expect(second.json).toEqual(first.json);
      expectProblem(await report({ ...one, quality: 1 }), 409);
      expect(await segments(first.json['regionId'])).toMatchObject([{ observations: 1, quality: 70 }]);
    });

    it('are heard by the members of their region, in every process, and by nobody else', async () => {
      const { here: place, near, east } = fresh();
      const [one, two, other] = [await driver(), await driver(), await driver()];
      await one.go(place);
      await two.go(near);
      await other.go(east);
      const { json } = await report({ userId: 'ada', quality: 33, ...place });
      await one.hears('observation', json);
      await two.hears('observation', json);
      expect(other.heard.map(({ event }) => event)).not.toContain('observation');
    });

    it.each([
      ['{', 400],
      ['', 400],
      ['[]', 422],
      ['null', 422],
      [{}, 422],
      [{ userId: undefined }, 422],
      [{ userId: '' }, 422],
      [{ userId: 'a\u0000b' }, 422],
      [{ userId: '\ud800' }, 422],
      [{ latitude: '28.7' }, 422],
      [{ latitude: 90.1 }, 422],
      [{ longitude: -180.1 }, 422],
      [{ longitude: null }, 422],
      [{ quality: -0.1 }, 422],
      [{ quality: 100.1 }, 422],
      [{ quality: 'good' }, 422],
      [{ quality: null }, 422],
      [{ quality: true }, 422],
      [{ observationId: '7' }, 422],
    ])('that read %j are answered with %d', async (changes, status) => {
      const { regionId } = (await report(here())).json as { regionId: string };
      const body =
        typeof changes === 'string' ? changes : Object.keys(changes).length === 0 ? {} : { ...here(), ...changes };
      expectProblem(await report(body), status);
      expect(await segments(regionId)).toMatchObject([{ observations: 1 }]);
    });

    it('may have the least and the greatest values there are', async () => {
      for (const [latitude, longitude, quality] of [
        [90, 180, 100],
        [-90, -180, 0],
        [0, 0, 0.001],
      ]) {
        const { status, json } = await report({ userId: 'x'.repeat(100), latitude, longitude, quality });
        expect(status).toBe(201);
        expect(json).toMatchObject({ latitude, longitude, quality });
      }
    });
  });
}
