import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { useServer } from '../engines.js';
import { spread, tell } from '../figures.js';
import { type Stall, stall, stallKinds, useStallingHolders } from './stalling-holders.js';

const [holders, stallsOfEach] = [5, 40];
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('locks whose holders stand still for 1.5 to 3 leases', () => {
  const server = useServer();
  const start = useStallingHolders();

  it.each(stallKinds)('no stale guarded write is accepted in hundreds of stalls (%s)', async (kind) => {
    await using state = await openState({ redis: server().url, namespace: 'stalls', log });
    const names = Array.from({ length: holders }, (_, n) => `${kind}-${n}`);
    const stalls: Stall[] = [];
    await Promise.all(
      names.map(async (name) => {
        const holder = start(server().url, name);
        for (let n = 0; n < stallsOfEach; n++) stalls.push(await stall(state, holder, kind));
        holder.child.kill('SIGKILL');
      }),
    );
    const stale = stalls.reduce((sum, one) => sum + one.staleWrites, 0);
    const trusted = stalls.filter((one) => one.trusted).length;
    console.log(
      `${kind}: ${stalls.length} stalls, ${stale} stale guarded writes accepted, ${trusted} holders trusted their lock when they woke; ` +
        `next had it after ${tell(spread(stalls.map((one) => one.freeAfterMs)))} ms`,
    );
    expect([stalls.length, stale, trusted]).toEqual([holders * stallsOfEach, 0, 0]);
  });
});
