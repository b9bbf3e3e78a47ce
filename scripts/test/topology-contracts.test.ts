import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { contract as roseContract } from '../../examples/rose-tracker/test/contract.js';
import { startTopology } from '../topology/start-topology.mjs';

/** Where a contract is run: nginx and three servers on one Redis. At the end each of them must have answered. */
async function open(
  name: string,
  systems: readonly string[],
): Promise<{ bases: string[]; close: () => Promise<void> }> {
  const topology = await startTopology({ systems });
  return {
    bases: [`${topology.url}/${name}`],
    async close(): Promise<void> {
      const log = readFileSync(join(topology.directory, 'access.log'), 'utf8');
      const silent = topology.servers.filter(({ url }) => !log.includes(new URL(url).host));
      await topology.stop();
      expect(silent).toEqual([]);
    },
  };
}

describe('S0.4: the contract of the rose tracker through nginx on three servers', () => {
  roseContract(() => open('rose-tracker', ['@commonhold/rose-tracker']));
});
