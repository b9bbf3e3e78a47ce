import { describe, expect, it } from 'vitest';
import { redisEngine } from '../../src/testing/engine.js';
import { countCommands } from '../../src/testing/command-count.js';
import { useServer } from '../engines.js';
import { onEveryKind, post } from './keyed-sites.js';

onEveryKind((start) => {
  const server = useServer();

  describe('commands of a request', () => {
    it('are two for one that runs, one for every other answer, none without a key', async () => {
      const engine = await redisEngine(server()).start();
      try {
        const site = await start(await engine.open(), {}, ({ url }) => ({ status: url === '/busy' ? 503 : 200 }));
        const count = async (path: string, key: string | undefined, body = ''): Promise<number> =>
          (await countCommands(server(), () => post(site + path, key, body))).length;
        // The server learns the scripts.
        await post(`${site}/`, 'first');
        await post(`${site}/busy`, 'second');
        expect(await count('/', 'key')).toBe(2);
        expect(await count('/', 'key')).toBe(1);
        expect(await count('/', 'key', 'another body')).toBe(1);
        expect(await count('/busy', 'busy')).toBe(2);
        expect(await count('/', undefined)).toBe(0);
      } finally {
        await engine.close();
      }
    });
  });
});
