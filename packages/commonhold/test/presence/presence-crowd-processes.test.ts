import { describe, expect, it } from 'vitest';
import { useServer } from '../engines.js';
import { crowd } from './crowd.js';
import { useCrowd } from './crowd-processes.js';

// A tenth of what presence-crowd.deep.test.ts measures.
describe('10,000 members over four processes', () => {
  const server = useServer();
  const start = useCrowd();

  it('join, are read, and those of a process killed with -9 are gone, told of once', { timeout: 120_000 }, async () => {
    const { countMs, bytesPerMember } = await crowd(server(), start, 10_000);
    expect(countMs).toBeLessThan(1_000);
    expect(bytesPerMember).toBeLessThan(1_500);
  });
});
