import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';
import { countCommands } from '../../src/testing/command-count.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { type Process, startProcess } from '../../src/testing/processes.js';
import { useServer } from '../engines.js';

describe('commands of the owners', () => {
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

  it('sends one command for each operation, and one a beat', async () => {
    const { owners } = process.state;
    await owners.list();
    await process.clock.planned();
    const one = ['EVALSHA'];
    const hold = await owners.hold('x');
    expect(await count(() => owners.hold('y'))).toEqual(one);
    expect(await count(() => hold.release())).toEqual(one);
    expect(await count(() => hold.release())).toEqual([]);
    expect(await count(() => owners.list())).toEqual(one);
    expect(await count(() => owners.orphans())).toEqual(['HGETALL']);
    expect(await count(() => owners.takeOver('z'))).toEqual(one);
    expect(await count(() => owners.takeOver('y'))).toEqual([]);
    expect(await count(() => process.clock.beat())).toEqual(one);
  });

  it('sends nothing where the state does not use them', async () => {
    expect(await count(async () => process.state.cache('c').get('x'))).toEqual(['GET']);
    expect(await server().command('KEYS', `${process.state.namespace}:owners*`)).toEqual([]);
  });
});

describe('a state that does not use owners or presence', () => {
  it('starts no timer, in use or asked for what is not there', async () => {
    const clock = createManualClock();
    const memory = createMemoryStore({ clock });
    const state = await openState({ memory, clock });
    void state.owners;
    const presence = state.presence('p');
    await presence.count('r');
    await state.counter('c').add(1);
    expect(clock.timers).toBe(0);
    const membership = await presence.join({ id: 'a' });
    await clock.advance(1_000);
    expect(clock.timers).toBeGreaterThan(0);
    await membership.leave();
    await state.close();
    memory.close();
    expect(clock.timers).toBe(0);
  });
});
