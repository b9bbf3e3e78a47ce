import type { SharedState } from '../../src/shared-state.js';
import { pause } from '../../src/testing/waiting.js';

/** What was acknowledged, by kind of write. */
export interface Acknowledged {
  readonly plain: Set<string>;
  readonly durable: Set<string>;
}

/** Calls that write all the time, and what became of them. */
export interface FailoverLoad {
  /** How many of them were acknowledged so far. */
  readonly acknowledged: Acknowledged;
  /** Codes of errors, with how often they came. */
  readonly errors: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const plainWriters = 16;
const durableWriters = 8;
const afterErrorMs = 5;

/** Begins to write: members of a set, and jobs that must outlive their server. */
export function startFailoverLoad(state: SharedState): FailoverLoad {
  const acknowledged: Acknowledged = { plain: new Set(), durable: new Set() };
  const errors = new Map<string, number>();
  const members = state.uniqueSet('members');
  const jobs = state.queue<string>('jobs');
  let next = 0;
  let stopped = false;
  const write = async (kind: keyof Acknowledged, call: (id: string) => Promise<unknown>): Promise<void> => {
    while (!stopped) {
      const id = `w${next++}`;
      try {
        await call(id);
        acknowledged[kind].add(id);
      } catch (error) {
        const { code = 'none' } = error as { readonly code?: string };
        errors.set(code, (errors.get(code) ?? 0) + 1);
        await pause(afterErrorMs);
      }
    }
  };
  const writing = [
    ...Array.from({ length: plainWriters }, () => write('plain', (id) => members.add(id))),
    ...Array.from({ length: durableWriters }, () => write('durable', (id) => jobs.add(id, { id, durable: true }))),
  ];
  return {
    acknowledged,
    errors,
    stop: async () => {
      stopped = true;
      await Promise.all(writing);
    },
  };
}

/** How many of what was acknowledged is not there. */
export async function countLost(
  state: SharedState,
  { plain, durable }: Acknowledged,
): Promise<{ readonly plain: number; readonly durable: number }> {
  const members = state.uniqueSet('members');
  const jobs = state.queue<string>('jobs');
  return {
    plain: await countAbsent(plain, (id) => members.has(id)),
    durable: await countAbsent(durable, async (id) => (await jobs.get(id)) !== undefined),
  };
}

async function countAbsent(ids: ReadonlySet<string>, isThere: (id: string) => Promise<boolean>): Promise<number> {
  const all = [...ids];
  let absent = 0;
  for (let first = 0; first < all.length; first += 500) {
    const there = await Promise.all(all.slice(first, first + 500).map(isThere));
    absent += there.filter((one) => !one).length;
  }
  return absent;
}
