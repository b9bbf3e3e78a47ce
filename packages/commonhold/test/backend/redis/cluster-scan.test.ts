import { describe, expect, it } from 'vitest';
import { type ScannedCluster, scanStep } from '../../../src/backend/redis/cluster-scan.js';
import type { CommandArgument } from '../../../src/backend/redis/redis-client.js';
import type { RedisWire } from '../../../src/backend/redis/redis-wire.js';
import type { NamedOperation } from '../../../src/operation.js';

const scanning: NamedOperation = { name: 'test.scan', kind: 'read', away: 'refuse', deadline: 'state' };

/** Masters that answer each SCAN with their pages in turn, and `onStep` that may change something between the steps. */
class Masters implements ScannedCluster {
  generation = 7;
  readonly asked: string[] = [];
  readonly #pages: readonly string[][];
  onRefresh: () => void = () => undefined;

  constructor(...pages: string[][]) {
    this.#pages = pages;
  }

  masters(): readonly RedisWire[] {
    return this.#pages.map((pages, index) => ({
      clustered: true,
      command: (_, args: readonly CommandArgument[]) => {
        const at = Number(args[1]);
        this.asked.push(`${index}:${at}`);
        return Promise.resolve([String(at + 1 < pages.length ? at + 1 : 0), [pages[at]]]);
      },
      run: () => Promise.reject(new Error('no script is run')),
    }));
  }

  refresh(): Promise<void> {
    this.onRefresh();
    return Promise.resolve();
  }
}

async function scanAll(masters: Masters, afterStep: (step: number) => void = () => undefined): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  for (let step = 1; step < 50; step++) {
    const [next, page] = (await scanStep(masters, scanning, ['SCAN', cursor, 'COUNT', '9'], undefined)) as [
      string,
      string[],
    ];
    found.push(...page);
    afterStep(step);
    if (next === '0') return found;
    cursor = next;
  }
  throw new Error('the scan does not end');
}

describe('scanStep', () => {
  it('goes over every page of every master', async () => {
    const masters = new Masters(['a', 'b'], ['c'], ['d', 'e', 'f']);
    expect(await scanAll(masters)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(masters.asked).toEqual(['0:0', '0:1', '1:0', '2:0', '2:1', '2:2']);
  });

  it('starts over when slots changed owner meanwhile', async () => {
    const masters = new Masters(['a', 'b'], ['c']);
    const found = await scanAll(masters, (step) => (masters.generation += step === 3 ? 1 : 0));
    expect(found).toEqual(['a', 'b', 'c']);
    const second = await scanAll(masters, (step) => (masters.generation += step === 2 ? 1 : 0));
    expect(second).toEqual(['a', 'b', 'a', 'b', 'c']);
  });

  it('starts over when only a look at the end shows that they did', async () => {
    const masters = new Masters(['a'], ['b']);
    let looks = 0;
    masters.onRefresh = () => (masters.generation += looks++ === 0 ? 1 : 0);
    expect(await scanAll(masters)).toEqual(['a', 'b', 'a', 'b']);
  });
});
