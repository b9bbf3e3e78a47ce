import type { Feature } from './codes.js';
import type { FaultWorld, WorldOptions } from './fault-world.js';
import type { Loss, ProbePlace, ProbeTable, Reach } from './probe.js';

/** What each feature should show; a feature that is not named is not concerned. See `expectation` for the notation. */
export type Row = Readonly<Partial<Record<Feature, string>>>;

/** One fault, or one way in which it comes. */
export interface Fault {
  /** As in the list of faults, `F04`; ways of one fault have a letter more, `F18a`. */
  readonly id: string;
  readonly title: string;
  /** How it is made here. */
  readonly how: string;
  readonly expected: Row;
  /** Why it cannot be made on this machine; undefined where it can. */
  readonly notRun?: () => string | undefined;
}

/** A fault that comes and goes while all features are in use. */
export interface PassingFault extends Fault {
  readonly world?: WorldOptions;
  /** For how long it lasts. */
  readonly lastsMs: number;
  /** What the subject can reach meanwhile; default everything. */
  readonly reach?: Reach;
  /** What the store forgot afterwards; default nothing. */
  readonly loss?: Loss;
  /** Features that are used in another way than in other faults. */
  readonly probes?: Partial<ProbeTable>;
  inject(world: FaultWorld): void | Promise<void>;
  heal(world: FaultWorld): void | Promise<void>;
}

/** A fault about single calls, for each feature something else. */
export interface CallFault extends Fault {
  readonly world?: WorldOptions;
  /** What all cells share, such as processes that are about to die. */
  begin?(world: FaultWorld): Promise<unknown>;
  readonly cells: Readonly<Partial<Record<Feature, (cell: Cell) => Promise<void>>>>;
}

/** What such a cell works with. */
export interface Cell extends ProbePlace {
  readonly feature: Feature;
  readonly world: FaultWorld;
  /** What `begin` made. */
  readonly shared: unknown;
}

/** Whether it comes and goes. */
export function isPassing(fault: Fault): fault is PassingFault {
  return 'inject' in fault;
}
