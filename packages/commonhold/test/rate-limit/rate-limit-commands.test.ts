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
      const limit = (await engine.open()).rateLimit('l', ['3 per hour', '30 per day']);
      // The server learns the scripts, and this process hears of refunds once it has refused somebody.
      const other = await limit.consume('other', { weight: 3 });
      await limit.consume('other');
      await Promise.all([
        limit.peek('other'),
        limit.refund('other', other),
        limit.block('other', '1s'),
        limit.reset('other'),
      ]);
      const spare = await limit.consume('t');
      const work = {
        'first hit': [() => limit.consume('s'), script],
        'admitted hit': [() => limit.consume('s', { weight: 2 }), script],
        'refused hit': [() => limit.consume('s'), script],
        'hit that is known to be refused': [() => limit.consume('s'), []],
        peek: [() => limit.peek('s'), script],
        refund: [() => limit.refund('t', spare), script],
        block: [() => limit.block('s', '1m'), script],
        reset: [() => limit.reset('s'), script],
      } as const;
      for (const [name, [call, expected]] of Object.entries(work)) {
        expect(await countCommands(server(), call), name).toEqual(expected);
      }
    } finally {
      await engine.close();
    }
  });
});
