import { describe, expect, it } from 'vitest';
import { countCommands } from '../../src/testing/command-count.js';
import { redisEngine } from '../../src/testing/engine.js';
import { useServer } from '../engines.js';

describe('commands of a counter', () => {
  const server = useServer();
  const script = [expect.stringMatching(/^EVALSHA /)];

  it('are one an operation, plain ones where a plain one does', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const state = await engine.open();
      const plain = state.counter('plain');
      const ttl = state.counter('ttl', { ttl: '1h' });
      const daily = state.counter('daily', { daily: { keep: '7d' } });
      const work = {
        'plain add': [() => plain.add(), ['INCRBY']],
        get: [() => plain.get(), ['GET']],
        'add with ttl': [() => ttl.add(), script],
        'add with days': [() => daily.add(), script],
        series: [() => daily.series({ days: 365 }), script],
        'series by name': [() => daily.series({ from: '2026-01-01', to: '2026-12-31' }), script],
        reset: [() => daily.reset(), script],
        'plain add with an id': [() => plain.add(1, { operationId: 'a' }), script],
        'add with days and an id': [() => daily.add(1, { operationId: 'a' }), script],
        'reset with an id': [() => daily.reset({ operationId: 'r' }), script],
      } as const;
      for (const [name, [call, expected]] of Object.entries(work)) {
        await call(); // The server learns the script.
        const commands = await countCommands(server(), () => call());
        expect(commands, name).toEqual(expected);
      }
    } finally {
      await engine.close();
    }
  });

  it('are two for an add that would leave the exact range, which is taken back', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const counter = (await engine.open()).counter('c');
      await counter.add(Number.MAX_SAFE_INTEGER);
      const commands = await countCommands(server(), () => counter.add().catch(() => undefined));
      expect(commands).toEqual(['INCRBY', 'DECRBY']);
    } finally {
      await engine.close();
    }
  });
});
