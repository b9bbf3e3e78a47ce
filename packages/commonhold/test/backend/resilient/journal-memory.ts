import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import type { SharedState } from '../../../src/shared-state.js';
import { eventLoopTurn, pause } from '../../../src/testing/waiting.js';
import type { OutageSite } from '../../outage.js';

/** Writes to one feature, one for each number. */
interface NumberedWrites {
  /** What writes; made before memory is measured, since names that were opened are no part of the journal. */
  prepare(state: SharedState, numbers: number): (n: number) => Promise<unknown>;
  /** How many of `numbers` are not as they were written. */
  missing(state: SharedState, numbers: readonly number[]): Promise<number>;
}

const value = 'v'.repeat(100);

/** What is written while Redis is away. */
export const writesWhileAway: Readonly<
  Record<'counters' | 'sets' | 'members of a set' | 'keys of a map', NumberedWrites>
> = {
  counters: {
    prepare: (state, numbers) => {
      const counters = Array.from({ length: numbers }, (_, n) => state.counter(`c${n}`));
      return (n) => counters[n]?.add(n + 1) ?? Promise.reject(new Error(`no counter ${n}`));
    },
    missing: async (state, numbers) => {
      const totals = await Promise.all(numbers.map((n) => state.counter(`c${n}`).get()));
      return totals.filter((total, index) => total !== (numbers[index] ?? NaN) + 1).length;
    },
  },
  sets: {
    prepare: (state, numbers) => {
      const sets = Array.from({ length: numbers }, (_, n) => state.uniqueSet(`s${n}`));
      return (n) => sets[n]?.add(`member ${n}`) ?? Promise.reject(new Error(`no set ${n}`));
    },
    missing: async (state, numbers) => {
      const there = await Promise.all(numbers.map((n) => state.uniqueSet(`s${n}`).has(`member ${n}`)));
      return there.filter((found) => !found).length;
    },
  },
  'members of a set': {
    prepare: (state) => {
      const set = state.uniqueSet('s');
      return (n) => set.add(`member ${n}`);
    },
    missing: async (state, numbers) => {
      const there = await state.uniqueSet('s').hasMany(numbers.map((n) => `member ${n}`));
      return there.filter((found) => !found).length;
    },
  },
  'keys of a map': {
    // Opened with each write, as in a handler: the costlier way.
    prepare: (state) => (n) => state.map<string>('m').set(`key ${n}`, `${n} ${value}`),
    missing: async (state, numbers) => {
      const found = await state.map<string>('m').getMany(numbers.map((n) => `key ${n}`));
      return numbers.filter((n) => found.get(`key ${n}`) !== `${n} ${value}`).length;
    },
  },
};

/** How an outage went in which very much was written. */
export interface JournalMemory {
  readonly taken: number;
  readonly refused: number;
  /** Of those taken, when Redis was back. */
  readonly missing: number;
  readonly journalBytes: number;
  /** Of the heap, after it was cleaned. */
  readonly heapBytes: number;
  readonly slowestMs: number;
  /** From the start of the server until all was brought there. */
  readonly backMs: number;
}

const atOnce = 1_000;

/** Writes `attempts` times while the server of `site` is away, with `maxBytes` for the journal. */
export async function fillJournal(
  site: OutageSite,
  writes: NumberedWrites,
  { attempts, maxBytes }: { readonly attempts: number; readonly maxBytes: number },
): Promise<JournalMemory> {
  const [state, other] = [await site.open({ journal: { maxBytes } }), await site.open()];
  const write = writes.prepare(state, attempts);
  await site.leave();
  await pause(500);
  const before = usedHeapBytes();
  const written = await writeAll(write, attempts);
  const [heapBytes, { journal }] = [usedHeapBytes() - before, state.status()];
  const beganAtMs = performance.now();
  await site.comeBack();
  const backMs = performance.now() - beganAtMs;
  let lost = 0;
  for (let from = 0; from < written.taken.length; from += atOnce) {
    lost += await writes.missing(other, written.taken.slice(from, from + atOnce));
  }
  // Or what writes would be gone before the second look at the heap.
  await expect(write(0)).resolves.not.toBeNull();
  return {
    ...written,
    taken: written.taken.length,
    missing: lost,
    journalBytes: journal?.bytes ?? 0,
    heapBytes,
    backMs,
  };
}

async function writeAll(
  write: (n: number) => Promise<unknown>,
  attempts: number,
): Promise<{ readonly taken: number[]; readonly refused: number; readonly slowestMs: number }> {
  const taken: number[] = [];
  let [refused, slowestMs] = [0, 0];
  for (let n = 0; n < attempts; n++) {
    const beganAtMs = performance.now();
    await write(n).then(
      () => taken.push(n),
      (error: { code?: string }) => (expect(error.code).toBe('Overloaded'), (refused += 1)),
    );
    slowestMs = Math.max(slowestMs, performance.now() - beganAtMs);
    if (n % atOnce === 0) await eventLoopTurn();
  }
  return { taken, refused, slowestMs };
}

function usedHeapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const collect = exposedCollector();

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
