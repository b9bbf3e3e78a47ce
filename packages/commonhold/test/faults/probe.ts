import type { SharedState } from '../../src/shared-state.js';
import { pause } from '../../src/testing/waiting.js';
import type { Code, Feature } from './codes.js';
import type { Answer, Sightings } from './sightings.js';

/** How much of the store a process can reach: everything, reads alone, nothing. */
export type Reach = 'all' | 'reads' | 'none';

/** What the store forgot in the fault: nothing, the last seconds, all. */
export type Loss = 'none' | 'some' | 'all';

/** Text that every probe stores, and that must never be printed. */
export const canaryValue = 'canary-value-5d1e';

/** What a probe works with. */
export interface ProbePlace {
  /** The process that the fault concerns. */
  readonly subject: SharedState;
  /** Another one, which reaches the store by a way of its own. */
  readonly other: SharedState;
  readonly sightings: Sightings;
  readonly reach: () => Reach;
  readonly loss: Loss;
  /** Whether the subject was told that the store lost data. */
  readonly told: () => boolean;
}

/** Uses one feature before, during and after a fault, and says what it sees. */
export interface Probe {
  prepare(): Promise<void>;
  /** A few calls, again and again while the fault lasts. */
  round(n: number): Promise<void>;
  /** Looks at what is left. */
  settle(): Promise<void>;
}

/** A probe for each feature. */
export type ProbeTable = Readonly<Record<Feature, new (place: ProbePlace) => Probe>>;

const deadlinesMs: Readonly<Partial<Record<Feature, number>>> = { CA: 100 };
const retryForMs = 6_000;

/** What all probes share. */
export abstract class FeatureProbe implements Probe {
  abstract readonly feature: Feature;
  protected readonly place: ProbePlace;

  constructor(place: ProbePlace) {
    this.place = place;
  }

  abstract prepare(): Promise<void>;
  abstract round(n: number): Promise<void>;
  abstract settle(): Promise<void>;

  /** One call of `steps` trips at most. */
  protected ask<Value>(
    what: string,
    run: () => Promise<Value>,
    code: (value: Value) => Code | undefined,
    steps: number = 1,
  ): Promise<Answer<Value>> {
    const limitMs = steps * (deadlinesMs[this.feature] ?? 500);
    return this.place.sightings.ask(this.feature, { what, limitMs }, run, code);
  }

  /** The same until it succeeds, as an application would that was told it may; undefined when it never does. */
  protected async insist<Value>(what: string, run: () => Promise<Value>): Promise<Value | undefined> {
    const untilMs = performance.now() + retryForMs;
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (performance.now() >= untilMs) {
          this.wrong(`${what} still fails: ${String(error)}`);
          return undefined;
        }
        await pause(100);
      }
    }
  }

  /** Looks until `holds`, for what comes back by itself; false when it does not. */
  protected async soon(holds: () => boolean | Promise<boolean>, withinMs: number = retryForMs): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    for (;;) {
      if (await Promise.resolve(holds()).catch(() => false)) return true;
      if (performance.now() >= untilMs) return false;
      await pause(50);
    }
  }

  /** Of a read that had an answer: from the store, or from here. */
  protected get read(): Code {
    return this.place.reach() === 'none' ? 'ST' : 'OK';
  }

  /** Of a write that was taken: by the store, or here. */
  protected written(here: Code): Code {
    return this.place.reach() === 'all' ? 'OK' : here;
  }

  protected note(code: Code): void {
    this.place.sightings.note(this.feature, code);
  }

  protected wrong(what: string): void {
    this.place.sightings.wrong(this.feature, what);
  }

  /** Notes that what was stored is gone, which is wrong unless the store lost it and that was told. */
  protected gone(what: string): void {
    if (this.place.loss === 'none') return this.wrong(`${what}, though the store lost nothing`);
    // It is told within 5 s, and looked at again then.
    if (this.place.sightings.phase !== 'after') return;
    if (this.place.told()) this.note('DL');
    else this.wrong(`${what}, without a word of it`);
  }
}
