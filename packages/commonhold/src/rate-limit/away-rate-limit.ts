import type { AwayPlace } from '../backend/resilient/away-place.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import type { Keys } from '../keys.js';
import { MemoryRateLimit } from './memory-rate-limit.js';
import type { Meter, RateLimitPort, Reading } from './rate-limit-port.js';

/**
 * A limiter without its store: each process admits its share of the limit, so that all together admit about as much as
 * before, whatever subject comes to which. Its counts begin empty and are not brought to the store: a window in which the store
 * went or came may admit one limit more.
 */
export class AwayRateLimit implements AwayTwin<RateLimitPort> {
  readonly answers: AwayTwin<RateLimitPort>['answers'];

  constructor(place: AwayPlace, keys: Keys) {
    const here = new MemoryRateLimit(place.memory, keys);
    const share = (meters: readonly Meter[], weight: number): Meter[] =>
      meters.map((meter) => shareOf(meter, place.processes(), weight));
    this.answers = {
      consume: (limiter, subject, meters, weight) =>
        here.consume(limiter, subject, share(meters, weight), weight).then(asLocal),
      consumeOnce: (limiter, subject, meters, weight, operation) =>
        here.consumeOnce(limiter, subject, share(meters, weight), weight, operation).then(asLocal),
      peek: (limiter, subject, meters, weight) =>
        here.peek(limiter, subject, share(meters, weight), weight).then(asLocal),
      refund: (limiter, subject, meters, weight, atMs) =>
        here.refund(limiter, subject, share(meters, weight), weight, atMs),
      refundOnce: (limiter, subject, meters, weight, atMs, operationId) =>
        here.refundOnce(limiter, subject, share(meters, weight), weight, atMs, operationId),
    };
  }
}

/** A limiter that admits every hit while its store is away, and counts none. */
export class OpenRateLimit implements AwayTwin<RateLimitPort> {
  readonly answers: AwayTwin<RateLimitPort>['answers'];

  constructor({ clock }: AwayPlace) {
    const admit = (_limiter: string, _subject: string, meters: readonly Meter[]): Promise<Reading> =>
      Promise.resolve({ allowed: true, atMs: clock.now(), blockedMs: 0, meters: meters.map(untouched), local: true });
    const nothing = (): Promise<boolean> => Promise.resolve(false);
    this.answers = { consume: admit, consumeOnce: admit, peek: admit, refund: nothing, refundOnce: nothing };
  }
}

/**
 * The meter of one process of `processes`: room for its part, rounded up, and for this hit at least. What is given back step
 * by step comes as many times slower.
 */
function shareOf(meter: Meter, processes: number, weight: number): Meter {
  if (processes <= 1) return meter;
  const unit = meter.kind === 'sliding-window' ? 1 : meter.unit;
  const units = Math.max(weight, Math.ceil(meter.capacity / unit / processes));
  const capacity = Math.min(meter.capacity, units * unit);
  if (meter.kind === 'sliding-window') return { ...meter, capacity };
  if (meter.kind === 'fixed-window') return { ...meter, capacity };
  if (meter.kind === 'gcra') return { ...meter, capacity, refill: Math.max(1, Math.ceil(meter.refill / processes)) };
  return { ...meter, capacity, everyMs: meter.everyMs * processes };
}

function untouched(meter: Meter): Reading['meters'][number] {
  const unit = meter.kind === 'sliding-window' ? 1 : meter.unit;
  return { remaining: Math.floor(meter.capacity / unit), resetMs: 0, retryAfterMs: 0 };
}

function asLocal(reading: Reading): Reading {
  return { ...reading, local: true };
}
