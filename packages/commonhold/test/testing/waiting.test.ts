import { describe, expect, it } from 'vitest';
import { eventLoopTurn, pause, waitUntil } from '../../src/testing/waiting.js';

describe('waiting', () => {
  it('pauses for real time', async () => {
    const startedAtMs = performance.now();
    await pause(30);
    expect(performance.now() - startedAtMs).toBeGreaterThan(28);
  });

  it('lets promise reactions run in one turn', async () => {
    let steps = 0;
    void (async () => {
      while (steps < 100) steps += await Promise.resolve(1);
    })();
    await eventLoopTurn();
    expect(steps).toBe(100);
  });

  it('looks until the condition holds', async () => {
    let looks = 0;
    await waitUntil('the third look', () => (looks += 1) === 3, { everyMs: 1 });
    expect(looks).toBe(3);
  });

  it('gives up and says what it waited for, described at that moment', async () => {
    let looks = 0;
    const wait = waitUntil(
      () => `a miracle, after ${looks} looks`,
      async () => {
        looks += 1;
        return false;
      },
      { timeoutMs: 20, everyMs: 1 },
    );
    await expect(wait).rejects.toThrow(/^waited 20 ms for a miracle, after \d+ looks$/);
  });

  it('passes on what the condition throws', async () => {
    const wait = waitUntil('nothing', () => Promise.reject(new Error('cannot look')));
    await expect(wait).rejects.toThrow('cannot look');
  });
});
