import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { useServer } from '../engines.js';
import { stall, stallKinds, useStallingHolders } from './stalling-holders.js';

describe('a lock whose holder stands still for longer than its lease', () => {
  const server = useServer();
  const start = useStallingHolders();

  it.concurrent.each(stallKinds)('what a holder calls after it stood still is refused (%s)', async (kind) => {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using state = await openState({ redis: server().url, namespace: 'stalls', log });
    expect(await stall(state, start(server().url, kind), kind)).toMatchObject({ staleWrites: 0, trusted: false });
  });
});
