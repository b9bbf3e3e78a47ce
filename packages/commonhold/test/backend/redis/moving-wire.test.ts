import { describe, expect, it } from 'vitest';
import { MovingWire } from '../../../src/backend/redis/moving-wire.js';
import type { RedisWire } from '../../../src/backend/redis/redis-wire.js';
import { UnavailableError } from '../../../src/errors.js';
import { reading } from './connected.js';

/** A server whose scan takes three steps, and which notes the cursors that it was given. */
function scanned(): { readonly wire: RedisWire; readonly cursors: unknown[] } {
  const cursors: unknown[] = [];
  const command = async (_: unknown, [, cursor]: readonly unknown[]): Promise<unknown> => {
    cursors.push(cursor);
    const next = Number(cursor) + 1;
    return [next === 3 ? '0' : String(next), []];
  };
  return { cursors, wire: { clustered: false, command, run: command } as unknown as RedisWire };
}

describe('a wire that moves', () => {
  it('scans from the beginning again after a move, and says so by the cursor alone', async () => {
    const [first, second] = [scanned(), scanned()];
    const place = { wire: first.wire as RedisWire | undefined, moves: 1 };
    const moving = new MovingWire({
      moves: () => place.moves,
      wire: () => place.wire,
      refusal: ({ name }) => new UnavailableError(name, 'none'),
    });
    const step = async (cursor: string): Promise<string> =>
      ((await moving.command(reading, ['SCAN', cursor])) as [string])[0];
    let cursor = await step(await step('0'));
    Object.assign(place, { wire: second.wire, moves: 2 });
    for (let steps = 0; cursor !== '0' && steps < 10; steps++) cursor = await step(cursor);
    expect([first.cursors, second.cursors]).toEqual([
      ['0', '1'],
      ['0', '1', '2'],
    ]);
    place.wire = undefined;
    await expect(step('0')).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
