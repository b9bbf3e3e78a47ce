import type { Stored } from '../codec/stored.js';
import { isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { CacheRules, WriteRules } from './cache-options.js';
import { type CacheClaim, type CachePort, claimTopic } from './cache-port.js';
import { type CacheReader, type Finding, isAway } from './cache-reader.js';
import type { CacheTally } from './cache-stats.js';
import { type CacheValues, isAbsence } from './cache-values.js';
import { type CacheLifetimes } from './cache-lifetimes.js';
import { labelled, type TagMarks } from './tag-marks.js';
import { type Compute, runCompute, within } from './compute-run.js';

/** What computing needs of its cache. */
export interface ComputingCache<Value> {
  readonly name: string;
  readonly port: CachePort;
  readonly rules: CacheRules;
  readonly reader: CacheReader<Value>;
  readonly values: CacheValues<Value>;
  readonly lifetimes: CacheLifetimes;
  readonly tally: CacheTally;
  readonly marks: TagMarks | undefined;
}

/** A value to be made. */
interface Task<Value> {
  readonly key: string;
  readonly compute: Compute<Value>;
  readonly write: WriteRules;
  /** A value that lives so long needs no computing. */
  readonly freshMs: number;
  /** Whether there is a value to give meanwhile. */
  readonly kept: boolean;
}

interface Made<Value> {
  readonly value: Value;
}

/** Values that are computed where they are absent or stale: one at a time for each key, over all processes. */
export class Computing<Value> {
  readonly #cache: ComputingCache<Value>;
  readonly #context: FeatureContext;
  readonly #shared = new Map<string, Promise<Value>>();
  readonly #refreshes = new Map<string, Promise<Made<Value> | undefined>>();

  constructor(cache: ComputingCache<Value>, context: FeatureContext) {
    this.#cache = cache;
    this.#context = context;
  }

  getOrSet(key: string, compute: Compute<Value>, write: WriteRules): Promise<Value> {
    const running = this.#shared.get(key);
    if (running !== undefined) return running;
    const result = this.#obtain(key, compute, write).finally(() => {
      if (this.#shared.get(key) === result) this.#shared.delete(key);
    });
    this.#shared.set(key, result);
    return result;
  }

  /** Who asks for `key` from now on does not get what is being computed. */
  forget(key: string): void {
    this.#shared.delete(key);
    this.#refreshes.delete(key);
  }

  async #obtain(key: string, compute: Compute<Value>, write: WriteRules): Promise<Value> {
    const { tally, rules, reader } = this.#cache;
    let found: Finding<Value>;
    try {
      found = await reader.find(key, write.ttlMs);
    } catch (error) {
      if (!isAway(error)) throw error;
      const last = reader.lastKnown(key);
      if (last === undefined) return this.#alone(key, compute);
      tally.degraded++;
      return last.value as Value;
    }
    if (found.state === 'fresh' && !found.due) {
      tally.hits++;
      return found.value as Value;
    }
    const task = { key, compute, write, freshMs: rules.staleMs, kept: found.state !== 'absent' };
    if (found.state === 'stale') return this.#fresher(task, found.value as Value);
    if (found.state === 'absent') {
      tally.misses++;
      return ((await this.#make(task, Infinity)) as Made<Value>).value;
    }
    void this.#refresh({ ...task, freshMs: reader.dueMs(write.ttlMs) }, 0);
    tally.hits++;
    return found.value as Value;
  }

  /** Without the store a value is computed for those who ask here, and kept nowhere. */
  #alone(key: string, compute: Compute<Value>): Promise<Value> {
    this.#cache.tally.degraded++;
    return this.#run(key, compute);
  }

  async #fresher(task: Task<Value>, stale: Value): Promise<Value> {
    const { tally, rules } = this.#cache;
    const made = await within(this.#refresh(task, rules.softMs), rules.softMs, this.#context.clock);
    if (made === undefined) tally.stale++;
    else tally.misses++;
    return made === undefined ? stale : made.value;
  }

  /** Makes the value while another is given; undefined when that failed, or another process has not done it in time. */
  #refresh(task: Task<Value>, waitMs: number): Promise<Made<Value> | undefined> {
    const running = this.#refreshes.get(task.key);
    if (running !== undefined) return running;
    const refresh = this.#make(task, this.#context.clock.monotonic() + waitMs)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        if (this.#refreshes.get(task.key) === refresh) this.#refreshes.delete(task.key);
      });
    this.#refreshes.set(task.key, refresh);
    return refresh;
  }

  #failed(error: unknown): undefined {
    if (isCommonholdError(error) && error.code === 'Closed') return;
    this.#context.log.warn({ cache: this.#cache.name, error: String(error) }, 'a cached value could not be refreshed');
  }

  /** Undefined when the value was not there at `endsAtMs` (monotonic), and another process has the right to compute it, or
   * failed a moment ago. */
  async #make(task: Task<Value>, endsAtMs: number): Promise<Made<Value> | undefined> {
    const { name, port } = this.#cache;
    const { wakes, random, clock } = this.#context;
    const token = random.bytes(12).toString('base64url');
    const waiter = wakes.listen(claimTopic(name, task.key));
    try {
      for (;;) {
        const claim = await this.#claim(task, token);
        if (claim === undefined) return { value: await this.#alone(task.key, task.compute) };
        if (claim.state === 'compute') return { value: await this.#compute(task, token) };
        if (claim.state === 'wait' || claim.state === 'held') {
          const leftMs = endsAtMs - clock.monotonic();
          if (leftMs <= 0 || (claim.state === 'held' && task.kept)) return undefined;
          await waiter.wait(Math.min(claim.leaseMs, leftMs));
        } else {
          const stored = this.#unlabel(claim.value);
          const value = stored && (await this.#cache.values.decode(stored, () => undefined));
          if (stored !== undefined && (value !== undefined || isAbsence(stored))) return { value: value as Value };
          await port.delete(name, [task.key], this.#cache.rules.announce);
        }
      }
    } finally {
      waiter.close();
    }
  }

  // Undefined when the store is away and nothing is at hand to be given instead.
  async #claim(task: Task<Value>, token: string): Promise<CacheClaim | undefined> {
    const { name, port, rules } = this.#cache;
    try {
      return await port.claim(name, task.key, token, rules.leaseMs, this.#context.owner.id, task.freshMs);
    } catch (error) {
      if (isAway(error) && !task.kept) return undefined;
      throw error;
    }
  }

  async #compute(task: Task<Value>, token: string): Promise<Value> {
    const { name, port, rules } = this.#cache;
    // Should a tag be cleared while this is computed, it was computed from what was there before.
    const label = this.#cache.marks?.label(task.write.tags) ?? '';
    let value: Value;
    let stored: Stored | undefined;
    try {
      value = await this.#run(task.key, task.compute);
      stored = this.#encode(task, value);
    } catch (error) {
      const held = task.kept ? port.hold(name, task.key, token, rules.retryMs) : port.abandon(name, task.key, token);
      await this.#release(held);
      throw error;
    }
    const ended =
      stored === undefined
        ? port.abandon(name, task.key, token)
        : this.#store(task, token, labelled(label, stored), value);
    await this.#release(ended);
    return value;
  }

  #store(task: Task<Value>, token: string, stored: Stored, value: Value): Promise<unknown> {
    const { name, port, lifetimes, rules, reader } = this.#cache;
    let ttlMs = value === undefined ? lifetimes.of(rules.absentMs) : lifetimes.of(task.write.ttlMs);
    if (value === undefined && rules.absentMs === undefined) ttlMs = 1;
    reader.forget(task.key);
    return port.fulfil(name, task.key, token, { value: stored, ttlMs, announce: rules.announce }, task.freshMs);
  }

  // An old value ends with the thing that it was of: what says so takes its place, if only for a moment.
  #encode({ key, kept }: Task<Value>, value: Value): Stored | undefined {
    const { values, rules } = this.#cache;
    if (value !== undefined) return values.encode(key, value);
    return kept || rules.absentMs !== undefined ? values.absence : undefined;
  }

  #unlabel(stored: Stored): Stored | undefined {
    return this.#cache.marks === undefined ? stored : this.#cache.marks.unlabel(stored);
  }

  async #run(key: string, compute: Compute<Value>): Promise<Value> {
    const { name, rules, values } = this.#cache;
    const what = `A value of cache ${name}, key ${key},`;
    const value = await runCompute(compute, rules.hardMs, what, this.#context.clock);
    // That there is nothing may be said whatever the schema.
    return value === undefined ? value : values.checked(key, value);
  }

  // The value is right whether or not it could be stored, and a claim ends by itself with its lease.
  async #release(release: Promise<unknown>): Promise<void> {
    try {
      await release;
    } catch (error) {
      this.#context.log.warn({ cache: this.#cache.name, error: String(error) }, 'a computed value was not cached');
    }
  }
}
