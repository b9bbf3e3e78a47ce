import { describe, expect, it } from 'vitest';
import { consumeAll } from '../../src/rate-limit/consume-all.js';
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
      const kept = await limit.consume('t', { operationId: 'a' });
      await limit.refund('t', kept, { operationId: 'never' });
      const work = {
        'first hit': [() => limit.consume('s'), script],
        'admitted hit': [() => limit.consume('s', { weight: 2 }), script],
        'refused hit': [() => limit.consume('s'), script],
        'hit that is known to be refused': [() => limit.consume('s'), []],
        'hit with an id, known to be refused or not': [() => limit.consume('s', { operationId: 'b' }), script],
        'hit with an id, done again': [() => limit.consume('t', { operationId: 'a' }), script],
        'refund with an id': [() => limit.refund('t', kept, { operationId: 'a' }), script],
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

  it('of hits together are one a limit, as many again as admitted when one refuses, and none once that is known', async () => {
    const engine = await redisEngine(server()).start();
    try {
      const state = await engine.open();
      const limits = [
        state.rateLimit('a', '9 per hour'),
        state.rateLimit('b', '1 per hour'),
        state.rateLimit('c', '9 per hour'),
      ];
      const together = (subject: string): Promise<unknown> => consumeAll(limits.map((limit) => ({ limit, subject })));
      // The server learns the scripts, and this process hears of refunds once it has refused somebody.
      for (let hit = 0; hit < 3; hit++) await together('other');
      expect(await countCommands(server(), () => together('s'))).toEqual([...script, ...script, ...script]);
      const refused = await countCommands(server(), () => together('s'));
      expect(refused).toEqual([...script, ...script, ...script, ...script, ...script]);
      expect(await countCommands(server(), () => together('s'))).toEqual([]);
      expect(limits[1]?.refusal('s')).toMatchObject({ allowed: false, reason: 'limit' });
      expect(limits[0]?.refusal('s')).toBeUndefined();
      expect((await limits[0]?.peek('s'))?.remaining).toBe(8);
    } finally {
      await engine.close();
    }
  });
});
