import { describe, expect, it } from 'vitest';
import { countCommands } from '../../src/testing/command-count.js';
import { redisEngine } from '../../src/testing/engine.js';
import { useServer } from '../engines.js';

describe('commands of a rate limit', () => {
  const server = useServer();
  const script = [expect.stringMatching(/^EVALSHA /)];

  it('are one an operation, admitted or refused', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const limit = (await engine.open()).rateLimit('l', '3 per hour');
      // The server learns the scripts.
      await limit.consume('other');
      await limit.peek('other');
      const work = {
        'first hit': [() => limit.consume('s'), script],
        'admitted hit': [() => limit.consume('s', { weight: 2 }), script],
        'refused hit': [() => limit.consume('s'), script],
        peek: [() => limit.peek('s'), script],
        reset: [() => limit.reset('s'), ['DEL']],
      } as const;
      for (const [name, [call, expected]] of Object.entries(work)) {
        expect(await countCommands(server(), call), name).toEqual(expected);
      }
    } finally {
      await engine.close();
    }
  });
});
