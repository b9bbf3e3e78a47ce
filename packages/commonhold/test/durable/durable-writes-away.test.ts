import { expect, it } from 'vitest';
import type { DurableStep } from '../../src/backend/redis/durable-write.js';
import { type DurableConnection, DurableWrites } from '../../src/backend/redis/durable-writes.js';
import { systemClock } from '../../src/clock.js';
import { pause } from '../../src/testing/waiting.js';

function step(withinMs: number): DurableStep {
  const operation = { name: 'queue.add', kind: 'mutation', away: 'refuse', deadline: 'state' } as const;
  const script = { name: 'none', source: '' };
  return { operation, script, keys: ['k'], args: [], reply: undefined, dueAtMs: systemClock.monotonic() + withinMs };
}

it('closing does not wait for a server that left, for writes whose time was over before their turn came', async () => {
  const connection = {
    facts: { replicas: 1, keepsLog: false, version: '7.0.15' },
    incarnation: 1,
    awayReason: undefined as string | undefined,
    look: async () => undefined,
    close: async () => undefined,
    wire: {
      // No answer, until the connection breaks.
      run: async () => {
        await pause(150);
        connection.awayReason = 'gone';
        throw new Error('gone');
      },
    },
  };
  const writes = new DurableWrites(systemClock, async () => connection as unknown as DurableConnection);
  const first = writes.run(step(50));
  const sent = expect(first).rejects.toMatchObject({ code: 'OutcomeUnknown' });
  await pause(5);
  await expect(writes.run(step(20))).rejects.toMatchObject({ code: 'Unavailable' });
  await sent;
  await pause(200);
  const closed = writes.close().then(() => 'closed');
  expect(await Promise.race([closed, pause(1_000)])).toBe('closed');
});
