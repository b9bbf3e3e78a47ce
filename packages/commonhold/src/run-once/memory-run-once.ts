import type { Stored } from '../codec/stored.js';
import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { handOut, type MemoryStore, storedBytes } from '../backend/memory/memory-store.js';
import { WaitingLines } from '../backend/memory/waiting-line.js';
import type { Keys } from '../keys.js';
import { isSameMember, type LineMember } from '../line-member.js';
import { type KeptResult, type RunClaim, type RunOncePort, type RunRecord, runTopic } from './run-once-port.js';

interface Running {
  readonly holder: LineMember;
  readonly endsAtMs: number;
  readonly startedAtMs: number;
}

interface RunState {
  readonly attempts: number;
  readonly fingerprint: string | undefined;
  /** Absent when the turn was given up; the lease may be over all the same. */
  readonly running?: Running;
  readonly finished?: { readonly holder: LineMember; readonly result: Stored; readonly atMs: number };
}

/** With a fingerprint of usual length. */
const recordBytes = 500;

/** Runs in one table, with a table of lines beside it. */
export class MemoryRunOnce implements RunOncePort {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #runs: ExpiringTable<RunState>;
  readonly #lines: WaitingLines;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#runs = store.table('run-once');
    this.#lines = new WaitingLines(store, keys, 'run-once-line');
  }

  async claim(
    name: string,
    key: string,
    member: LineMember,
    leaseMs: number,
    waitMs: number,
    keepMs: number,
    asked: string | undefined,
  ): Promise<RunClaim> {
    const entry = this.#entry(name, key);
    const state = this.#runs.get(entry);
    const fingerprint = state?.fingerprint ?? asked;
    if (asked !== undefined && asked !== fingerprint) return { state: 'mismatch' };
    if (state?.finished) return kept(state.finished);
    const running = this.#running(entry);
    const now = this.#store.now();
    const again = running !== undefined && isSameMember(running.holder, member);
    const wait = again ? undefined : this.#lines.takeTurn(entry, member, waitMs, running?.endsAtMs);
    if (wait !== undefined) return { state: 'wait', ...wait };
    const attempts = (state?.attempts ?? 0) + (again ? 0 : 1);
    const startedAtMs = again ? running.startedAtMs : now;
    const begun = { holder: member, endsAtMs: now + leaseMs, startedAtMs };
    this.#run(entry, { attempts, fingerprint: again ? state?.fingerprint : fingerprint, running: begun }, keepMs);
    return { state: 'run', attempt: attempts };
  }

  async renew(name: string, key: string, member: LineMember, leaseMs: number, keepMs: number): Promise<boolean> {
    const entry = this.#entry(name, key);
    const state = this.#runs.get(entry);
    if (state?.finished) return isSameMember(state.finished.holder, member);
    const running = this.#running(entry);
    if (state === undefined || running === undefined || !isSameMember(running.holder, member)) return false;
    const { attempts, fingerprint } = state;
    this.#run(entry, { attempts, fingerprint, running: { ...running, endsAtMs: this.#store.now() + leaseMs } }, keepMs);
    return true;
  }

  async finish(
    name: string,
    key: string,
    member: LineMember,
    result: Stored,
    keepMs: number,
  ): Promise<{ state: 'kept' } | { state: 'lost' } | KeptResult> {
    const entry = this.#entry(name, key);
    const state = this.#runs.get(entry);
    if (state?.finished) return isSameMember(state.finished.holder, member) ? { state: 'kept' } : kept(state.finished);
    if (state === undefined || !isSameMember(state.running?.holder, member)) return { state: 'lost' };
    const atMs = this.#store.now();
    const finished = { holder: member, result: handOut(result), atMs };
    const bytes = recordBytes + storedBytes(result);
    const { attempts, fingerprint } = state;
    this.#runs.set(entry, { attempts, fingerprint, finished }, bytes, atMs + keepMs);
    this.#lines.wakeAll(entry, (id) => runTopic(name, key, id));
    return { state: 'kept' };
  }

  async leave(name: string, key: string, member: LineMember, keepMs: number): Promise<boolean> {
    const entry = this.#entry(name, key);
    const state = this.#runs.get(entry);
    const alive = this.#running(entry);
    const had = isSameMember(state?.running?.holder, member);
    this.#lines.leave(entry, member);
    if (state !== undefined && had) {
      const { attempts, fingerprint } = state;
      this.#runs.set(entry, { attempts, fingerprint }, recordBytes, this.#store.now() + keepMs);
    }
    if (!state?.finished && (had || alive === undefined)) {
      this.#lines.wakeFirst(entry, (id) => runTopic(name, key, id));
    }
    return had && alive !== undefined;
  }

  async get(name: string, key: string): Promise<RunRecord> {
    const entry = this.#entry(name, key);
    const state = this.#runs.get(entry);
    if (state?.finished) return kept(state.finished);
    const running = this.#running(entry);
    if (state === undefined || running === undefined) return { state: 'absent' };
    const { holder, startedAtMs } = running;
    return { state: 'running', owner: holder.owner, attempt: state.attempts, startedAtMs };
  }

  async forget(name: string, key: string): Promise<boolean> {
    const entry = this.#entry(name, key);
    if (this.#running(entry) !== undefined) return false;
    const had = this.#runs.get(entry)?.finished !== undefined;
    this.#runs.delete(entry);
    return had;
  }

  #entry(name: string, key: string): string {
    return this.#keys.tagged('run-once', name, key);
  }

  /** Who runs, by a lease that is not over. */
  #running(entry: string): Running | undefined {
    const running = this.#runs.get(entry)?.running;
    return running !== undefined && this.#store.now() <= running.endsAtMs ? running : undefined;
  }

  #run(entry: string, state: RunState & { readonly running: Running }, keepMs: number): void {
    this.#runs.set(entry, state, recordBytes, state.running.endsAtMs + keepMs);
  }
}

function kept({ holder, result, atMs }: NonNullable<RunState['finished']>): KeptResult {
  return { state: 'done', result: handOut(result), owner: holder.owner, finishedAtMs: atMs };
}
