import { quantile } from '../figures.js';
import type { JobNote } from './noting-workers.js';

/** What notes of workers that were killed say. */
export interface KillReport {
  /** Jobs that were started. */
  readonly jobs: number;
  /** Starts beyond the first of a job. */
  readonly repeated: number;
  /** Of those, ones whose job had not been started by a process that died. */
  readonly unexplained: number;
  /** Jobs whose handlers ran in a process that died. */
  readonly inFlight: number;
  /** The most jobs of one process that died which were started again. */
  readonly mostOfOneDeath: number;
  readonly resumeP50Ms: number;
  readonly resumeP99Ms: number;
  readonly resumeLongestMs: number;
}

/** @param diedAtMs when workers died, by their number. */
export function readKills(notes: readonly JobNote[], diedAtMs: ReadonlyMap<number, number>): KillReport {
  const [open, last] = [new Map<string, JobNote>(), new Map<string, JobNote>()];
  const ofDeath = new Map<number, number>();
  const resumedMs: number[] = [];
  let [repeated, unexplained] = [0, 0];
  for (const note of notes.toSorted((one, other) => one.atMs - other.atMs || one.attempt - other.attempt)) {
    const run = `${note.id} ${note.attempt}`;
    if (note.what === 'end') {
      open.delete(run);
      continue;
    }
    open.set(run, note);
    const before = last.get(note.id);
    last.set(note.id, note);
    if (before === undefined) continue;
    repeated += 1;
    const diedMs = diedAtMs.get(before.worker);
    if (diedMs === undefined) unexplained += 1;
    else resumedMs.push(note.atMs - diedMs);
    ofDeath.set(before.worker, (ofDeath.get(before.worker) ?? 0) + 1);
  }
  return {
    jobs: last.size,
    repeated,
    unexplained,
    inFlight: [...open.values()].filter(({ worker }) => diedAtMs.has(worker)).length,
    mostOfOneDeath: Math.max(0, ...ofDeath.values()),
    resumeP50Ms: quantile(resumedMs, 0.5),
    resumeP99Ms: quantile(resumedMs, 0.99),
    resumeLongestMs: Math.max(0, ...resumedMs),
  };
}
