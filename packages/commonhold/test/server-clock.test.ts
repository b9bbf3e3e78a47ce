import { describe, expect, it } from 'vitest';
import { ServerClock } from '../src/server-clock.js';
import { createManualClock } from '../src/testing/manual-clock.js';

describe('the clock of the server, seen from here', () => {
  it('is never behind: an answer may have been given at once', async () => {
    const clock = createManualClock();
    const server = new ServerClock(clock);
    expect(server.now()).toBe(-Infinity);
    const sentAtMs = clock.monotonic();
    await clock.advance(80);
    server.answered(1_000, sentAtMs);
    expect(server.now()).toBe(1_080);
    await clock.advance(20);
    expect(server.now()).toBe(1_100);
  });

  it('is put forward by what the server says later, and never back', async () => {
    const clock = createManualClock();
    const server = new ServerClock(clock);
    server.answered(1_000, clock.monotonic());
    server.atLeast(1_500);
    expect(server.now()).toBe(1_500);
    server.atLeast(1_200);
    expect(server.now()).toBe(1_500);
    clock.jumpWall(-60_000);
    expect(server.now()).toBe(1_500);
  });
});
