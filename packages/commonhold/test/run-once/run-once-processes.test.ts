import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { eventually } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';
import { useHolderProcesses } from '../lock/holder-processes.js';

describe('run-once over real processes', { timeout: 60_000 }, () => {
  const server = useServer();
  const start = useHolderProcesses();

  it('S2.5: what a killed process ran is taken over by exactly one that waits, when its lease is over', async () => {
    const { child, said } = await start(server().url, 'killed', 'run');
    expect(said[0]).toEqual({ attempt: 1 });
    const states = await Promise.all([1, 2, 3].map(() => openState({ redis: server().url, namespace: 'killed' })));
    let ran = 0;
    const asked = states.map((state) =>
      state.runOnce<string>('r').run('k', ({ attempt }) => ((ran += 1), `attempt ${attempt}`)),
    );
    const killedAt = performance.now();
    child.kill('SIGKILL');
    expect(await Promise.all(asked)).toEqual(['attempt 2', 'attempt 2', 'attempt 2']);
    expect(performance.now() - killedAt).toBeLessThan(2_500);
    expect(ran).toBe(1);
    for (const state of states) await state.close();
  });

  it('a process that stood still gets the result of the one that took over', async () => {
    const { child, said } = await start(server().url, 'stopped', 'run');
    await using state = await openState({ redis: server().url, namespace: 'stopped' });
    child.kill('SIGSTOP');
    expect(await state.runOnce<string>('r').run('k', () => 'fresh')).toBe('fresh');
    child.kill('SIGCONT');
    await eventually(() => expect(said).toContainEqual({ result: 'fresh' }));
    const kept = await state.runOnce<string>('r').get('k');
    expect(kept.status === 'done' && kept.result).toBe('fresh');
    child.kill('SIGKILL');
  });
});
