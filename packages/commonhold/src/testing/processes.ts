import type { OpenOptions } from '../options.js';
import type { SharedState } from '../shared-state.js';
import { type BeatClock, createBeatClock } from './beat-clock.js';
import type { Engine } from './engine.js';

/** A state as a process of its own has it, whose signs of life a test sends or withholds. */
export interface Process {
  readonly state: SharedState;
  readonly clock: BeatClock;
}

/** Opens a state whose beats come by {@link pass} alone. */
export async function startProcess(engine: Engine, options: OpenOptions = {}): Promise<Process> {
  const clock = createBeatClock();
  return { state: await engine.open({ clock, ...options }), clock };
}

/** Lets `ms` pass for the store and for all of `alive`, each of which then beats; the others are silent. */
export async function pass(engine: Engine, ms: number, ...alive: readonly Process[]): Promise<void> {
  await engine.advance(ms);
  for (const { clock } of alive) {
    clock.advance(ms);
    await clock.beat();
  }
}

// Never the end of a lease to the millisecond: where time stands still, that moment would not pass.
const stepMs = 3_700;

/** As {@link pass}, for longer than a beat: the living beat in time. */
export async function passBeats(engine: Engine, ms: number, ...alive: readonly Process[]): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) await pass(engine, Math.min(left, stepMs), ...alive);
}
