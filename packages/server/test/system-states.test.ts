import { startRedisServer } from 'commonhold/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SystemStates } from '../src/system-states.js';

describe('SystemStates', () => {
  it('asks the stores once for many questions at a time, and again for the next', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const states = new SystemStates();
    onTestFinished(() => states.close());
    const asked = vi.spyOn(await states.open({ namespace: 'one', redis: server.url }), 'probe');
    await Promise.all(Array.from({ length: 50 }, () => states.probe()));
    expect(asked).toHaveBeenCalledTimes(1);
    await states.probe();
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('names the stores that fail, and only those', async () => {
    const states = new SystemStates();
    onTestFinished(() => states.close());
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await states.open({ namespace: 'memory', environment: {} });
    await states.open({ namespace: 'away', redis: 'redis://127.0.0.1:1', log });
    expect(await states.probe()).toEqual(['away']);
    expect(states.place()).toBe('Redis at 127.0.0.1:1, unreachable');
    expect(states.statuses().map(({ connected }) => connected)).toEqual([true, false]);
  });
});
