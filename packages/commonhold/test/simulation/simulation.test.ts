import { describe, expect, it } from 'vitest';
import { protocols } from './protocols.js';
import { describeFailures, runSeed, runSeeds } from './run-seed.js';

/** Of each protocol; `npm run test:simulation` runs more. */
const seeds = 100;

describe.each(protocols)('simulated $name', (protocol) => {
  it(`bears whatever happens in ${seeds} runs`, async () => {
    const { failures } = await runSeeds(protocol, 1, seeds);
    expect(describeFailures(protocol, failures)).toEqual([]);
  });

  it('happens in the same way again with the same seed', async () => {
    expect(await traceOf(27)).toEqual(await traceOf(27));
    expect(await traceOf(28)).not.toEqual(await traceOf(27));
  });

  async function traceOf(seed: number): Promise<string[]> {
    const lines: string[] = [];
    await runSeed(protocol, seed, { trace: (line) => void lines.push(line) });
    return lines;
  }
});
