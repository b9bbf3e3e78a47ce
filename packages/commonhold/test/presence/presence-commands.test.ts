import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { geohashRegions } from '../../src/presence/geohash.js';
import { countCommands } from '../../src/testing/command-count.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { type Process, startProcess } from '../../src/testing/processes.js';
import { useServer } from '../engines.js';

describe('commands of a presence', () => {
  const server = useServer();
  let engine: Engine;
  let process: Process;
  beforeEach(async () => {
    engine = await redisEngine(server()).start();
    process = await startProcess(engine);
  });
  afterEach(() => engine.close());

  const count = async (work: () => Promise<unknown>): Promise<string[]> =>
    (await countCommands(server(), work, { ignore: ['EVAL'] })).map((command) => command.replace(/ .*/, ''));

  it('sends one script for each operation, and for all members of a turn', async () => {
    const presence = process.state.presence('p', { regions: geohashRegions() });
    const membership = await presence.join({ id: 'a', user: 'ada', region: 'ttngkc' });
    await process.clock.planned();
    const one = ['EVALSHA'];
    expect(await count(() => presence.join({ id: 'b', user: 'ada', region: 'ttngkc' }))).toEqual(one);
    expect(await count(() => membership.move({ region: 'ttngkf' }))).toEqual(one);
    expect(await count(() => membership.move({ location: { latitude: 1, longitude: 1 } }))).toEqual(one);
    expect(await count(() => presence.get('a'))).toEqual(one);
    expect(await count(() => presence.count('ttngkc'))).toEqual(one);
    expect(await count(() => presence.members('ttngkc', { neighbours: true }))).toEqual(one);
    expect(await count(() => presence.user('ada'))).toEqual(one);
    expect(await count(() => membership.leave())).toEqual(one);
    const ids = Array.from({ length: 100 }, (_, index) => `m${index}`);
    const join = async (): Promise<unknown> => Promise.all(ids.map((id) => presence.join({ id, region: 'r' })));
    expect(await count(join)).toEqual(one);
  });

  it('beats with one script for the process and one for each presence, however many members send heartbeats', async () => {
    const presence = process.state.presence('p');
    const other = process.state.presence('q');
    await other.join({ id: 'x' });
    // The same presence, opened once more.
    await process.state.presence('q').join({ id: 'y' });
    const ids = Array.from({ length: 400 }, (_, index) => `m${index}`);
    const members = await Promise.all(ids.map((id) => presence.join({ id, region: 'r' })));
    await process.clock.planned();
    const beat = async (): Promise<void> => {
      for (const member of members) for (let times = 0; times < 3; times++) member.heartbeat();
      await process.clock.beat();
    };
    expect(await count(beat)).toEqual(['EVALSHA', 'EVALSHA', 'EVALSHA']);
    expect(await count(() => process.clock.beat())).toEqual(['EVALSHA', 'EVALSHA', 'EVALSHA']);
  });

  it('does not tell of members that send heartbeats all the time with every beat', async () => {
    const presence = process.state.presence('p');
    const ids = Array.from({ length: 1_200 }, (_, index) => `m${index}`);
    const members = await Promise.all(ids.map((id) => presence.join({ id, region: 'r' })));
    await process.clock.planned();
    const beat = async (): Promise<void> => {
      for (const member of members) member.heartbeat();
      await process.clock.beat();
    };
    expect(await count(beat)).toHaveLength(4);
    expect(await count(beat)).toHaveLength(2);
    process.clock.advance(30_001);
    expect(await count(beat)).toHaveLength(4);
  });

  it('moves 5,000 members of one process in a turn, no faster than the server takes it, and beats for them', async () => {
    const presence = process.state.presence('p');
    const numbers = Array.from({ length: 5_000 }, (_, index) => index);
    const members = await Promise.all(numbers.map((n) => presence.join({ id: `m${n}`, region: `r${n % 1_000}` })));
    await process.clock.planned();
    const move = async (): Promise<unknown> =>
      Promise.all(members.map((member, n) => member.move({ region: `r${(n + 1) % 1_000}` })));
    // Fifty where the server is quick; where it is slow, smaller steps.
    const steps = (await count(move)).length;
    expect(steps).toBeGreaterThanOrEqual(50);
    expect(steps).toBeLessThanOrEqual(500);
    for (const member of members) member.heartbeat();
    expect(await count(() => process.clock.beat())).toHaveLength(11);
    expect(await presence.count('r0')).toBe(5);
    expect((await presence.get('m0'))?.region).toBe('r1');
  });

  it('starts no timer and sends nothing while no one joins or listens', async () => {
    const presence = process.state.presence('p');
    const ask = async (): Promise<void> => {
      await presence.count('r');
      await presence.get('a');
    };
    expect(await count(ask)).toEqual(['EVALSHA', 'EVALSHA']);
    expect(await Promise.race([process.clock.planned(), Promise.resolve('none')])).toBe('none');
  });
});
