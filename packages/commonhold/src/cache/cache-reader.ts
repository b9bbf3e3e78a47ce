import type { Clock } from '../clock.js';
import type { Stored } from '../codec/stored.js';
import { isCommonholdError } from '../errors.js';
import type { CacheRules } from './cache-options.js';
import type { CachePort, CacheRead } from './cache-port.js';
import type { CacheTally } from './cache-stats.js';
import { type CacheValues, isAbsence } from './cache-values.js';
import type { NearCache, NearEntry } from './near-cache.js';
import type { TagMarks } from './tag-marks.js';

/** What a cache holds of a key. A value of undefined says that there is nothing, which is known. */
export type Finding<Value> =
  | { readonly state: 'absent' }
  | { readonly state: 'stale'; readonly value: Value | undefined }
  /** `due`: it ends soon enough to be computed anew. */
  | { readonly state: 'fresh'; readonly value: Value | undefined; readonly due: boolean };

/** The values found, by key. */
export class FoundValues<Value> extends Map<string, Value> {
  /** The keys of which nothing is known, in the order asked for; not those that are known to have no value. */
  readonly missing: string[] = [];
}

/** What reading needs of its cache. */
export interface ReadableCache<Value> {
  readonly name: string;
  readonly port: CachePort;
  readonly rules: CacheRules;
  readonly values: CacheValues<Value>;
  readonly tally: CacheTally;
  readonly near: NearCache<Value> | undefined;
  /** Where the cache has tags. */
  readonly marks: TagMarks | undefined;
  readonly clock: Clock;
}

const absent = { state: 'absent' } as const;

type Decoded<Value> = Value | undefined | Promise<Value | undefined>;

/** The reads of one cache, counted. */
export class CacheReader<Value> {
  readonly #name: string;
  readonly #port: CachePort;
  readonly #rules: CacheRules;
  readonly #values: CacheValues<Value>;
  readonly #tally: CacheTally;
  readonly #near: NearCache<Value> | undefined;
  readonly #marks: TagMarks | undefined;
  readonly #clock: Clock;
  // Made once: a read costs no closure.
  readonly #hit: (stored: Stored | undefined) => Decoded<Value>;
  readonly #fresh: (read: CacheRead | undefined) => Decoded<Value>;
  readonly #any: (read: CacheRead | undefined) => Decoded<Value>;
  readonly #found: (finding: Finding<Value>) => Value | undefined;
  readonly #plain: (stored: Stored | undefined) => Finding<Value> | Promise<Finding<Value>>;
  readonly #away: (error: unknown) => undefined;
  readonly #failed: (error: unknown) => undefined;
  readonly #spoiled: (error: unknown) => Finding<Value>;
  // The miss is counted by who asked.
  readonly #unreadable: () => void;

  constructor({ name, port, rules, values, tally, near, marks, clock }: ReadableCache<Value>) {
    this.#name = name;
    this.#port = port;
    this.#rules = rules;
    this.#values = values;
    this.#tally = tally;
    this.#near = near;
    this.#marks = marks;
    this.#clock = clock;
    this.#hit = (stored) => (stored === undefined ? this.#miss() : this.#decode(stored));
    this.#fresh = (read) => this.#hit(read !== undefined && this.#isFresh(read) ? read.value : undefined);
    this.#any = (read) => this.#give(read);
    this.#found = (finding) => {
      if (finding.state !== 'fresh') return this.#miss();
      this.#tally.hits++;
      return finding.value;
    };
    this.#plain = (stored) => {
      if (stored === undefined) return absent;
      const value = this.#values.decode(stored, this.#unreadable);
      const read = { value: stored, leftMs: undefined };
      if (!(value instanceof Promise)) return this.#judge(read, value, undefined);
      return value.then((decoded) => this.#judge(read, decoded, undefined));
    };
    this.#unreadable = () => void this.#tally.unreadable++;
    this.#away = (error) => {
      if (isAway(error)) this.#tally.degraded++;
      if (!isAway(error) || !this.#rules.open) throw error;
    };
    this.#failed = (error) => {
      if (!isCorrupt(error)) return this.#away(error);
      this.#spoiled(error);
      return this.#miss();
    };
    // Where the key is of another type; only setting it replaces that.
    this.#spoiled = (error) => {
      if (!isCorrupt(error)) throw error;
      this.#values.missed(error, this.#unreadable);
      return absent;
    };
  }

  get(key: string): Promise<Value | undefined> {
    if (this.#near !== undefined) return this.#getNear(this.#near, key);
    if (this.#rules.timed) return this.#readTimed(key).then(this.#fresh, this.#failed);
    return this.#port.get(this.#name, key).then(this.#hit, this.#failed);
  }

  /** As `get`, and also a value that is stale. */
  getStale(key: string): Promise<Value | undefined> {
    return this.#readTimed(key).then(this.#any, (error: unknown) => this.#without(key, error)?.value);
  }

  async getMany(keys: readonly string[]): Promise<FoundValues<Value>> {
    if (this.#rules.timed) return this.#findMany(keys);
    const found = new FoundValues<Value>();
    if (keys.length === 0) return found;
    const stored = await this.#port.getMany(this.#name, keys).catch(this.#away);
    if (stored === undefined) {
      found.missing.push(...keys);
      return found;
    }
    const values = await Promise.all(stored.map(async (value) => this.#hit(value)));
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value !== undefined) found.set(key, value);
      else if (!isKnown(stored[index])) found.missing.push(key);
    }
    return found;
  }

  /** What is there for one who would compute a value to live `ttlMs`. Not counted: that depends on what is made of it. */
  find(key: string, ttlMs: number | undefined): Promise<Finding<Value>> {
    const kept = this.#near?.get(key);
    if (kept !== undefined) {
      this.#tally.nearHits++;
      return Promise.resolve({ state: 'fresh', value: kept.value, due: this.#isNearDue(kept, ttlMs) });
    }
    if (this.#near !== undefined) return this.#fetch(this.#near, key, ttlMs).catch(this.#spoiled);
    if (this.#rules.timed) return this.#find(key, ttlMs).catch(this.#spoiled);
    return this.#port.get(this.#name, key).then(this.#plain, this.#spoiled);
  }

  /** What the near cache gives for one who would let the value live `ttlMs`; undefined where it is to be looked up. */
  findNear(key: string, ttlMs: number | undefined): NearEntry<Value> | undefined {
    const kept = this.#near?.get(key);
    if (kept === undefined || this.#isNearDue(kept, ttlMs)) return undefined;
    this.#tally.hits++;
    this.#tally.nearHits++;
    return kept;
  }

  /** The key changes: what a near cache holds of it is no longer right. */
  forget(key: string): void {
    this.#near?.forget(key);
  }

  /** How long a value must live so as not to be computed anew by one who would let it live `ttlMs`. */
  dueMs(ttlMs: number | undefined): number {
    return this.#rules.staleMs + Math.ceil((ttlMs ?? 0) * (1 - this.#rules.refreshAt));
  }

  /** What a near cache held when the store was heard last, if calls go on without that. */
  lastKnown(key: string): NearEntry<Value> | undefined {
    return this.#rules.open ? this.#near?.lastKnown(key) : undefined;
  }

  #without(key: string, error: unknown): NearEntry<Value> | undefined {
    this.#failed(error);
    return this.lastKnown(key);
  }

  async #findMany(keys: readonly string[]): Promise<FoundValues<Value>> {
    const findings = await Promise.all(
      keys.map((key) => this.find(key, undefined).catch((error: unknown) => this.#without(key, error))),
    );
    const found = new FoundValues<Value>();
    for (const [index, key] of keys.entries()) {
      const finding = findings[index];
      const isFinding = finding !== undefined && 'state' in finding;
      if (finding === undefined || (isFinding && finding.state !== 'fresh')) {
        if (isFinding) this.#tally.misses++;
        found.missing.push(key);
        continue;
      }
      if (isFinding) this.#tally.hits++;
      if (finding.value !== undefined) found.set(key, finding.value);
    }
    return found;
  }

  #getNear(near: NearCache<Value>, key: string): Promise<Value | undefined> {
    const kept = near.get(key);
    if (kept === undefined)
      return this.#fetch(near, key, undefined).then(this.#found, (error: unknown) => this.#without(key, error)?.value);
    this.#tally.hits++;
    this.#tally.nearHits++;
    return Promise.resolve(kept.value);
  }

  async #find(key: string, ttlMs: number | undefined): Promise<Finding<Value>> {
    const read = await this.#readTimed(key);
    if (read === undefined) return { state: 'absent' };
    const value = await this.#values.decode(read.value, this.#unreadable);
    return this.#judge(read, value, ttlMs);
  }

  async #fetch(near: NearCache<Value>, key: string, ttlMs: number | undefined): Promise<Finding<Value>> {
    const fetch = near.begin(key);
    try {
      const sentAtMs = this.#clock.monotonic();
      const read = await this.#readTimed(key);
      if (read === undefined) return { state: 'absent' };
      const value = await this.#values.decode(read.value, this.#unreadable);
      const finding = this.#judge(read, value, ttlMs);
      if (finding.state === 'fresh') {
        near.keep(fetch, value, read.value.length, sentAtMs, (read.leftMs ?? Infinity) - this.#rules.staleMs);
      }
      return finding;
    } finally {
      near.end(fetch);
    }
  }

  // The marks are read at the same time where they are not known: two commands, one trip.
  async #readTagged(key: string, marks: TagMarks): Promise<CacheRead | undefined> {
    const [read] = await Promise.all([this.#port.read(this.#name, key), marks.ready()]);
    const value = read && marks.unlabel(read.value);
    return read === undefined || value === undefined ? undefined : { value, leftMs: read.leftMs };
  }

  #readTimed(key: string): Promise<CacheRead | undefined> {
    return this.#marks === undefined ? this.#port.read(this.#name, key) : this.#readTagged(key, this.#marks);
  }

  #judge(read: CacheRead, value: Value | undefined, ttlMs: number | undefined): Finding<Value> {
    const none = value === undefined;
    if (none && !isAbsence(read.value)) return { state: 'absent' };
    if (this.#isFresh(read)) return { state: 'fresh', value, due: this.#isDue(read, ttlMs) };
    return none ? { state: 'absent' } : { state: 'stale', value };
  }

  #give(read: CacheRead | undefined): Decoded<Value> {
    if (read === undefined || this.#isFresh(read)) return this.#hit(read?.value);
    this.#tally.stale++;
    return this.#values.decode(read.value, () => {
      this.#tally.stale--;
      this.#tally.misses++;
      this.#tally.unreadable++;
    });
  }

  #decode(stored: Stored): Decoded<Value> {
    this.#tally.hits++;
    return this.#values.decode(stored, () => {
      this.#tally.hits--;
      this.#tally.misses++;
      this.#tally.unreadable++;
    });
  }

  #miss(): undefined {
    this.#tally.misses++;
  }

  #isFresh({ leftMs = Infinity }: CacheRead): boolean {
    return leftMs >= this.#rules.staleMs;
  }

  #isNearDue({ endsAtMs }: NearEntry<Value>, ttlMs: number | undefined): boolean {
    if (this.#rules.refreshAt === 1) return false;
    return endsAtMs - this.#clock.monotonic() + this.#rules.staleMs < this.dueMs(ttlMs);
  }

  #isDue({ leftMs = Infinity }: CacheRead, ttlMs: number | undefined): boolean {
    return leftMs < this.dueMs(ttlMs);
  }
}

/** Whether `error` says that the store could not do it, rather than that it was asked something wrong. */
export function isAway(error: unknown): boolean {
  return isCommonholdError(error) && ['Unavailable', 'OutcomeUnknown', 'Overloaded'].includes(error.code);
}

/** Whether `error` says that what is there was written by another program. */
function isCorrupt(error: unknown): boolean {
  return isCommonholdError(error) && error.code === 'CorruptState';
}

function isKnown(stored: Stored | undefined): boolean {
  return stored !== undefined && isAbsence(stored);
}
