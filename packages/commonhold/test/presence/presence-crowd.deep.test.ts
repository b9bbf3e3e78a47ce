import { describe, expect, it } from 'vitest';
import { useServer } from '../engines.js';
import { crowd } from './crowd.js';
import { useCrowd } from './crowd-processes.js';

describe('100,000 members over four processes', () => {
  const server = useServer();
  const start = useCrowd();

  it(
    'join, beat, are read, and those of a process killed with -9 are gone, told of once',
    { timeout: 180_000 },
    async () => {
      const figures = await crowd(server(), start, Number(process.env['COMMONHOLD_CROWD'] ?? 100_000));
      console.log(figures);
      expect(figures.countMs).toBeLessThan(100);
    },
  );
});
