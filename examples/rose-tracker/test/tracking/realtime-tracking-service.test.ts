import { createMemoryStore, openState, type SharedState } from 'commonhold';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRoseState, type RoseState } from '../../src/rose-state.js';
import { PersistentData } from '../../src/tracking/persistent-data.js';
import { RealtimeTrackingService } from '../../src/tracking/realtime-tracking-service.js';

const memory = { redis: false } as const;

async function openRose(options: Parameters<typeof openState>[0] = memory): Promise<RoseState> {
  const state = await openRoseState(({ namespace }) => openState({ ...options, namespace }), { sessionTtlMs: 60_000 });
  onTestFinished(() => state.shared.close());
  return state;
}

/** Stores whose sets take nothing, as when a worker dies before it gets to them. */
function dyingBeforeSets(shared: SharedState, state: RoseState): RoseState {
  const away = { add: () => Promise.reject(new Error('died')), count: () => Promise.resolve(0) };
  const records = shared.map<never>('persistent-data', { prefix: 'rose', away: 'throw' });
  return { ...state, persistentData: new PersistentData({ records, total: away, cumulative: away }) };
}

describe('RealtimeTrackingService', () => {
  it('S0.14: works on whatever state it is given; two on one store are two workers', async () => {
    const store = createMemoryStore();
    const [one, two] = [
      new RealtimeTrackingService(await openRose({ ...memory, memory: store })),
      new RealtimeTrackingService(await openRose({ ...memory, memory: store }), () => 2 ** 31),
    ];
    const { session_id: id } = await one.startSession();
    expect(await two.processFrame(id, 1, ['a'])).toMatchObject({ outcome: 'added', counts: { frame_count: 1 } });
    expect(await one.session(id)).toMatchObject({ frame_count: 1, last_update: 2 ** 31 });
    expect((await two.startSession()).session_number).toBe(2);
  });

  it('S0.12: leaves active sessions and persistent data readable like dictionaries', async () => {
    const { activeSessions, persistentData, shared } = await openRose();
    const service = new RealtimeTrackingService({ activeSessions, persistentData });
    const { session_id: id } = await service.startSession();
    await service.processFrame(id, 1, ['a', 'b']);
    expect(shared.status().kind).toBe('memory');
    expect(await activeSessions.has(id)).toBe(true);
    expect((await activeSessions.get(id))?.session_unique_roses).toEqual(['a', 'b']);
    expect(await persistentData.get('next_session_number')).toBe(2);
    expect(await persistentData.get('total_unique_roses')).toBe(2);
    expect(await persistentData.get('cumulative_unique_roses')).toBe(2);
    expect(await persistentData.get('last_session_id')).toBe(id);
    await service.stopSession(id);
    expect(await persistentData.get('session_history')).toHaveLength(1);
    expect(await activeSessions.get(id)).toBeUndefined();
  });

  it('completes a frame whose worker died halfway when it is sent again', async () => {
    const state = await openRose();
    const dying = new RealtimeTrackingService(dyingBeforeSets(state.shared, state));
    const well = new RealtimeTrackingService(state);
    const { session_id: id } = await well.startSession();
    await expect(dying.processFrame(id, 1, ['a', 'b'])).rejects.toThrow('died');
    expect((await state.activeSessions.get(id))?.unsettled_roses).toEqual(['a', 'b']);
    expect(await state.persistentData.get('total_unique_roses')).toBe(0);
    expect(await well.processFrame(id, 1, ['another'])).toMatchObject({
      outcome: 'repeated',
      counts: { frame_count: 1, session_unique_roses: 2, total_unique_roses: 2 },
    });
    expect((await state.activeSessions.get(id))?.unsettled_roses).toEqual([]);
  });

  it('answers no frame before the shared totals have its roses, also those that a dead worker marked', async () => {
    const state = await openRose();
    const dying = new RealtimeTrackingService(dyingBeforeSets(state.shared, state));
    const well = new RealtimeTrackingService(state);
    const { session_id: id } = await well.startSession();
    await expect(dying.processFrame(id, 1, ['a', 'b'])).rejects.toThrow('died');
    expect(await well.processFrame(id, 2, ['b', 'c'])).toMatchObject({ counts: { total_unique_roses: 2 } });
    expect((await state.activeSessions.get(id))?.unsettled_roses).toEqual(['a']);
    await well.stopSession(id);
    expect(await state.persistentData.get('total_unique_roses')).toBe(3);
    expect(await state.persistentData.get('cumulative_unique_roses')).toBe(3);
  });

  it('finishes a stop that died halfway, without a second entry', async () => {
    const state = await openRose();
    const well = new RealtimeTrackingService(state);
    const dying = new RealtimeTrackingService({
      persistentData: state.persistentData,
      activeSessions: {
        get: (key) => state.activeSessions.get(key),
        set: (key, session) => state.activeSessions.set(key, session),
        update: (key, change) => state.activeSessions.update(key, change),
        delete: () => Promise.reject(new Error('died')),
      },
    });
    const { session_id: id } = await well.startSession();
    await expect(dying.stopSession(id)).rejects.toThrow('died');
    expect(await well.session(id)).toBeUndefined();
    expect(await well.processFrame(id, 1, ['a'])).toEqual({ outcome: 'absent' });
    const entry = await well.stopSession(id);
    expect(await state.persistentData.get('session_history')).toEqual([entry]);
    expect(await state.activeSessions.has(id)).toBe(false);
    expect(await state.persistentData.get('total_unique_roses')).toBe(0);
  });
});
