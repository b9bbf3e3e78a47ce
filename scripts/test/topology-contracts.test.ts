import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { contract as attendxContract } from '../../examples/attendx/test/contract.js';
import { contract as audioContract } from '../../examples/audio-streaming/test/contract.js';
import { contract as ocrContract } from '../../examples/ocr-platform/test/contract.js';
import { contract as roadContract } from '../../examples/road-quality/test/contract.js';
import { startPostgres } from '../../examples/road-quality/test/postgres.js';
import { contract as roseContract } from '../../examples/rose-tracker/test/contract.js';
import { startTopology } from '../topology/start-topology.mjs';

/** What a contract is run against. */
interface Place {
  readonly bases: readonly string[];
  close(): Promise<void>;
}

/** Nginx and three servers of one system on one Redis, whose user is that of production. Each server must have answered. */
async function open(system: string, path: string, env: Record<string, string> = {}): Promise<Place> {
  const topology = await startTopology({ systems: [`@commonhold/${system}`], env });
  return {
    bases: [`${topology.url}/${path}`],
    async close(): Promise<void> {
      const log = readFileSync(join(topology.directory, 'access.log'), 'utf8');
      const silent = topology.servers.filter(({ url }) => !log.includes(new URL(url).host));
      await topology.stop();
      expect(silent).toEqual([]);
    },
  };
}

async function openRoad(): Promise<Place> {
  const postgres = await startPostgres();
  const place = await open('road-quality', 'road', { DATABASE_URL: await postgres.database() });
  return {
    bases: place.bases,
    async close(): Promise<void> {
      try {
        await place.close();
      } finally {
        await postgres.stop();
      }
    },
  };
}

describe('S2.14: through nginx on three servers', () => {
  describe('the rose tracker', () => roseContract(() => open('rose-tracker', 'rose-tracker')));
  describe('AttendX', () => attendxContract(() => open('attendx', 'attendx')));
  describe('audio streaming', () => audioContract(() => open('audio-streaming', 'audio')));
  describe('road quality', () => roadContract(openRoad, { stores: true }));
  describe('the OCR platform', () => ocrContract(() => open('ocr-platform', 'ocr', { OCR_WORKERS: '1' })));
});
