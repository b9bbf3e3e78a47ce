import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SharedState } from '../../src/shared-state.js';
import type { PresenceOptions } from '../../src/presence/presence-options.js';
import { geohashRegions } from '../../src/presence/geohash.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { pass, passBeats, startProcess } from '../../src/testing/processes.js';
import { useServer } from '../engines.js';

type Meta = { readonly userAgent: string };

describe('a presence with documented names', () => {
  const server = useServer();
  let engine: Engine;
  let state: SharedState;
  let prefix: string;
  beforeEach(async () => {
    engine = await redisEngine(server()).start();
    state = await engine.open();
    prefix = `${state.namespace}:road`;
  });
  afterEach(() => engine.close());

  const redis = (...command: string[]): Promise<unknown> => server().command(...command);
  const options = (): PresenceOptions => ({ layout: 'documented', prefix, regions: geohashRegions() });
  const location = { latitude: 24.86, longitude: 67.01 };

  it('S3.2: shows redis-cli the session, the heartbeat, the sockets of a user and of a region', async () => {
    const presence = state.presence<Meta>('p', options());
    const id = 'Xf-3_kPq7AAAB';
    const { region } = await presence.join({ id, user: 'ada', location, meta: { userAgent: 'Mozilla/5.0 "é"' } });
    expect(await redis('TYPE', `${prefix}:session:${id}`)).toBe('string');
    expect(await redis('SMEMBERS', `${prefix}:user:ada:sessions`)).toEqual([id]);
    expect(await redis('SMEMBERS', `${prefix}:region:${region}:members`)).toEqual([id]);
    const member = await presence.get(id);
    expect(await redis('GET', `${prefix}:heartbeat:${id}`)).toBe(String(member?.lastActivityAtMs));
    const lives = ['session:' + id, 'user:ada:sessions', `region:${region}:members`, `heartbeat:${id}`];
    const ttls = await Promise.all(lives.map((name) => redis('TTL', `${prefix}:${name}`)));
    expect(ttls.map((seconds) => Math.ceil(Number(seconds) / 60))).toEqual([60, 60, 60, 5]);
  });

  it('S3.3: the session is JSON with the documented members', async () => {
    const presence = state.presence<Meta>('p', options());
    const membership = await presence.join({ id: 's', user: 'ada', location, meta: { userAgent: 'Mozilla/5.0 "é"' } });
    const read = async (): Promise<Record<string, unknown>> =>
      JSON.parse(String(await redis('GET', `${prefix}:session:s`))) as Record<string, unknown>;
    const member = await presence.get('s');
    expect(await read()).toEqual({
      socketId: 's',
      userId: 'ada',
      currentRegionId: 'tkrtkv',
      lastLocation: location,
      connectedAt: new Date(member?.joinedAtMs ?? 0).toISOString(),
      lastActivityAt: new Date(member?.lastActivityAtMs ?? 0).toISOString(),
      userAgent: 'Mozilla/5.0 "é"',
    });
    await engine.advance(90_000_000);
    const again = await presence.join({ id: 's', region: 'r', meta: { userAgent: '' } });
    expect(await read()).toMatchObject({ userId: null, currentRegionId: 'r', lastLocation: null, userAgent: null });
    await again.move({ region: 'q' });
    const moved = await presence.get('s');
    expect(moved?.region).toBe('q');
    expect(await read()).toMatchObject({
      currentRegionId: 'q',
      lastActivityAt: new Date(moved?.lastActivityAtMs ?? 0).toISOString(),
    });
    await expect(membership.move({ region: 'r' })).rejects.toMatchObject({ code: 'Closed' });
  });

  it('S3.4: moves between the sets, and leaves nothing behind', async () => {
    const presence = state.presence('p', options());
    const membership = await presence.join({ id: 's', user: 'ada', region: 'r' });
    await membership.move({ region: 'q' });
    expect(await redis('EXISTS', `${prefix}:region:r:members`)).toBe(0);
    expect(await redis('SMEMBERS', `${prefix}:region:q:members`)).toEqual(['s']);
    await membership.leave();
    const left = (await redis('KEYS', `${prefix}:*`)) as string[];
    expect(left.filter((key) => !key.includes(':events'))).toEqual([]);
  });

  it('S3.5: takes out of the sets who is silent, and who was at a process that died', async () => {
    const [dying, staying] = [await startProcess(engine), await startProcess(engine)];
    const short: PresenceOptions = { ...options(), silence: '20s' };
    await dying.state.presence('p', short).join({ id: 'a', region: 'r', user: 'ada' });
    const presence = staying.state.presence('p', short);
    await presence.join({ id: 'silent', region: 'r', user: 'ada' });
    await staying.clock.planned();
    await passBeats(engine, 16_000, staying);
    expect(await redis('SMEMBERS', `${prefix}:region:r:members`)).toEqual(['silent']);
    expect(await redis('SMEMBERS', `${prefix}:user:ada:sessions`)).toEqual(['silent']);
    await passBeats(engine, 8_000, staying);
    expect(await redis('KEYS', `${prefix}:region:*`)).toEqual([]);
    expect(await redis('KEYS', `${prefix}:session:*`)).toEqual([]);
  });

  it('S3.5: a heartbeat is shown with the next beat', async () => {
    const process = await startProcess(engine);
    const presence = process.state.presence('p', options());
    const membership = await presence.join({ id: 's', region: 'r' });
    await process.clock.planned();
    const before = Number(await redis('GET', `${prefix}:heartbeat:s`));
    await passBeats(engine, 3_000, process);
    membership.heartbeat();
    await pass(engine, 0, process);
    expect(Number(await redis('GET', `${prefix}:heartbeat:s`))).toBeGreaterThanOrEqual(before + 3_000);
  });

  it('does not mind a documented key that another program spoiled', async () => {
    for (const name of ['region:r:members', 'user:ada:sessions']) await redis('SET', `${prefix}:${name}`, 'x');
    await redis('SADD', `${prefix}:session:s`, 'x');
    const presence = state.presence('p', options());
    const membership = await presence.join({ id: 's', region: 'r', user: 'ada' });
    expect(await presence.count('r')).toBe(1);
    await membership.move({ region: 'q' });
    await membership.leave();
    expect(await presence.count('q')).toBe(0);
  });
});

describe('documented names on a cluster', () => {
  const server = useServer({ cluster: true });

  it('are refused without a hash tag, saying which, and work with one', async () => {
    const engine = await redisEngine(server()).start();
    const state = await engine.open();
    const bare = state.presence('p', { layout: 'documented', prefix: 'road' });
    await expect(bare.join({ id: 's' })).rejects.toThrow(/a hash tag on a clustered server, as in '\{road\}'/);
    const tagged = state.presence('p', { layout: 'documented', prefix: '{road}' });
    await tagged.join({ id: 's', region: 'r', user: 'ada' });
    expect(await server().command('SMEMBERS', '{road}:region:r:members')).toEqual(['s']);
    expect(await tagged.count('r')).toBe(1);
    await engine.close();
  });
});
