import { describe, expect, it } from 'vitest';
import { LocalBus } from '../src/backend/memory/local-bus.js';
import { Beat, beatMs, type BeatPart, leaseMs } from '../src/beat.js';
import { CorruptStateError, UnavailableError } from '../src/errors.js';
import { createManualClock, type ManualClock } from '../src/testing/manual-clock.js';
import { seededRandom } from '../src/testing/random.js';

interface Made {
  readonly clock: ManualClock;
  readonly beat: Beat;
  readonly warnings: object[];
  readonly restored: () => void;
}

function make(): Made {
  const clock = createManualClock();
  const warnings: object[] = [];
  const log = { info: () => undefined, warn: (fields: object) => void warnings.push(fields), error: () => undefined };
  const listeners = new Set<() => void>();
  const bus = Object.assign(new LocalBus(log), {
    onRestored: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  const restored = (): void => listeners.forEach((listener) => listener());
  return { clock, beat: new Beat(clock, seededRandom(1), log, bus), warnings, restored };
}

/** A part that notes when it was called and whether steady, and answers as told. */
function part(clock: ManualClock, answer: () => number | undefined = () => undefined): BeatPart & { calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    lost: () => void calls.push(`lost ${Math.round(clock.monotonic())}`),
    beat: async (steady) => {
      calls.push(`${Math.round(clock.monotonic())}${steady ? ' steady' : ''}`);
      return answer();
    },
  };
}

const away = (): never => {
  throw new UnavailableError('x', 'away');
};

describe('the beat of a process', () => {
  it('starts no timer before there is a part, and none after the last has gone', async () => {
    const { clock, beat } = make();
    expect(clock.timers).toBe(0);
    const one = part(clock);
    beat.add(one);
    expect(clock.timers).toBe(1);
    await clock.advance(1);
    beat.remove(one);
    expect(clock.timers).toBe(0);
    await clock.advance(beatMs);
    expect(one.calls).toHaveLength(1);
  });

  it('is not put off by who asks for it again and again', async () => {
    const { clock, beat } = make();
    const one = part(clock);
    beat.add(one);
    await clock.advance(1);
    for (let ms = 0; ms < 100; ms += 10) {
      beat.soon(50);
      await clock.advance(10);
    }
    expect(one.calls).toEqual(['1', '51', '101']);
    beat.close();
    beat.soon();
    expect(clock.timers).toBe(0);
  });

  it('calls all parts in one turn, every 4 s, and knows when the store was in reach for a lease', async () => {
    const { clock, beat } = make();
    const [one, two] = [part(clock), part(clock)];
    beat.add(one);
    beat.add(two);
    await clock.advance(16_500);
    expect(one.calls).toEqual(['1', '4001', '8001', '12001 steady', '16001 steady']);
    expect(two.calls).toEqual(one.calls);
  });

  it('comes sooner where a part asks for it, but not before it is steady', async () => {
    const { clock, beat } = make();
    const one = part(clock, () => 500);
    beat.add(one);
    await clock.advance(12_000);
    expect(one.calls).toEqual(['1', '4001', '8001']);
    await clock.advance(2_000);
    const later = one.calls.slice(3);
    expect(later.length).toBeGreaterThanOrEqual(2);
    expect(later.every((call) => call.endsWith('steady'))).toBe(true);
    const times = later.map((call) => Number.parseInt(call, 10));
    expect(times[0]).toBeGreaterThanOrEqual(1 + leaseMs);
    for (const [index, time] of times.entries()) {
      if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(499);
    }
  });

  it('tries again after a second when the store is away, and is then not steady for a lease', async () => {
    const { clock, beat, warnings } = make();
    let fails = false;
    const one = part(clock, () => (fails ? away() : undefined));
    beat.add(one);
    await clock.advance(12_500);
    fails = true;
    await clock.advance(5_000);
    fails = false;
    await clock.advance(14_000);
    const times = one.calls
      .slice(4)
      .map((call) => call.replace(/^\d+/, (ms) => String(Math.round(Number(ms) / 1_000))));
    expect(times).toEqual(['16 steady', '17', '18', '22', '26', '30 steady']);
    expect(warnings).toEqual([]);
  });

  it('tells all parts that the store lost its data, and calls them soon', async () => {
    const { clock, beat } = make();
    const [one, other] = [part(clock), part(clock)];
    beat.add(one);
    beat.add(other);
    await clock.advance(1_000);
    beat.lost();
    await clock.advance(250);
    for (const { calls } of [one, other])
      expect(calls.slice(1)).toEqual(['lost 1000', expect.stringMatching(/^1[0-2]/)]);
  });

  it('is not steady after it stood still for longer than a lease', async () => {
    const { clock, beat } = make();
    let unblock = (): void => undefined;
    const blocked = new Promise<void>((resolve) => (unblock = resolve));
    let block = false;
    const one: BeatPart & { calls: boolean[] } = {
      calls: [],
      lost: () => undefined,
      beat: async (steady) => {
        one.calls.push(steady);
        if (block) await blocked;
        return undefined;
      },
    };
    beat.add(one);
    await clock.advance(16_000);
    block = true;
    await clock.advance(20_000);
    block = false;
    unblock();
    await clock.advance(100);
    expect(one.calls).toEqual([false, false, false, true, true, false]);
  });

  it('says what else is wrong with a part, and goes on with the others', async () => {
    const { clock, beat, warnings } = make();
    const [bad, good] = [
      part(clock, () => {
        throw new CorruptStateError('a key', 'another type');
      }),
      part(clock),
    ];
    beat.add(bad);
    beat.add(good);
    await clock.advance(13_000);
    expect(warnings.length).toBeGreaterThan(3);
    expect(good.calls.at(-1)).toContain('steady');
  });

  it('comes at once when the link is back, and right after one that is under way', async () => {
    const { clock, beat, restored } = make();
    const one = part(clock);
    beat.add(one);
    await clock.advance(1_000);
    restored();
    await clock.advance(300);
    expect(one.calls).toHaveLength(2);
    beat.soon();
    beat.soon();
    await clock.advance(1);
    expect(one.calls).toHaveLength(3);
  });
});
