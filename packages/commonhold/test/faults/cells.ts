import { systemClock } from '../../src/clock.js';
import type { Code } from './codes.js';
import type { Cell } from './fault.js';
import type { Answer } from './sightings.js';

/** Runs one call of a cell, which settles by its deadline however large or odd what it meets, and notes its code. */
export function askOnce<Value>(
  cell: Cell,
  run: () => Promise<Value>,
  code: (value: Value) => Code | undefined,
): Promise<Answer<Value>> {
  return cell.sightings.ask(cell.feature, { what: 'call', limitMs: 1_500 }, run, code);
}

/** Runs one call of a cell, which must fail with a code, and notes that. */
export function expectFailure(cell: Cell, run: () => Promise<unknown>): Promise<Answer<unknown>> {
  return askOnce(cell, run, () => '!!');
}

/** Notes `code` where `holds`, and otherwise that `what` is wrong. */
export function expectThat(cell: Cell, holds: boolean, code: Code, what: string): void {
  if (holds) cell.sightings.note(cell.feature, code);
  else cell.sightings.wrong(cell.feature, what);
}

/** Milliseconds since some moment. */
export function nowMs(): number {
  return systemClock.monotonic();
}
