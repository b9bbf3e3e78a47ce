import type { MeterReading, SlidingWindow } from './rate-limit-port.js';
import { wholeFloor } from './whole.js';

/** Hits of one grain of time: their units, and when the last of them came. */
export interface Grain {
  readonly units: number;
  readonly atMs: number;
}

/** The grains that still count at `now`, oldest first. Where the store's clock went back, they came now. */
export function counting(window: SlidingWindow, grains: readonly Grain[], now: number): Grain[] {
  return grains
    .filter(({ atMs }) => now - atMs < window.spanMs)
    .map(({ units, atMs }) => ({ units, atMs: Math.min(atMs, now) }));
}

/** How a window stands for a hit of `weight`. */
export function readWindow(window: SlidingWindow, grains: readonly Grain[], weight: number, now: number): MeterReading {
  const used = unitsOf(grains);
  const last = grains.at(-1);
  return {
    remaining: Math.max(0, window.capacity - used),
    resetMs: last === undefined ? 0 : last.atMs + window.spanMs - now,
    retryAfterMs: untilLeft(window, grains, used + weight - window.capacity, now),
  };
}

/** The grains with a hit of `weight` at `now`. */
export function withHit(window: SlidingWindow, grains: readonly Grain[], weight: number, now: number): Grain[] {
  const last = grains.at(-1);
  if (last === undefined || !sameGrain(window, last.atMs, now)) return [...grains, { units: weight, atMs: now }];
  return [...grains.slice(0, -1), { units: last.units + weight, atMs: now }];
}

/** The grains without a hit of `weight` at `atMs`; one that counts no more cannot be taken back. */
export function withoutHit(window: SlidingWindow, grains: readonly Grain[], weight: number, atMs: number): Grain[] {
  return grains
    .map((grain) => (sameGrain(window, grain.atMs, atMs) ? { ...grain, units: grain.units - weight } : grain))
    .filter(({ units }) => units > 0);
}

/** Units in use. */
export function unitsOf(grains: readonly Grain[]): number {
  return grains.reduce((sum, { units }) => sum + units, 0);
}

function sameGrain({ grainMs }: SlidingWindow, one: number, other: number): boolean {
  return wholeFloor(one, grainMs) === wholeFloor(other, grainMs);
}

// The oldest leave first.
function untilLeft(window: SlidingWindow, grains: readonly Grain[], amount: number, now: number): number {
  let left = amount;
  let atMs = now - window.spanMs;
  for (const grain of grains) {
    if (left <= 0) break;
    left -= grain.units;
    atMs = grain.atMs;
  }
  return atMs + window.spanMs - now;
}
