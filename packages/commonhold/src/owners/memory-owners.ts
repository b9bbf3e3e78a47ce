import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { MessageLog } from '../backend/memory/message-log.js';
import { isCommonholdError } from '../errors.js';
import type { Keys } from '../keys.js';
import {
  byName,
  type Holding,
  type Orphan,
  ownerEventRules,
  type OwnerRenewed,
  ownersBase,
  type OwnersPort,
  type StoredOwner,
  type TakeOver,
} from './owners-port.js';

interface Living {
  readonly startedAtMs: number;
  leaseEndMs: number;
  /** Since when each name is held. */
  readonly holds: Map<string, number>;
}

interface Registry {
  readonly living: Map<string, Living>;
  readonly orphans: Map<string, Orphan>;
  orphansEndMs: number;
}

const keepMs = 604_800_000;
const takenKeepMs = 3_600_000;
const mostDead = 10;
// Estimated, with names of a usual length.
const ownerBytes = 500;
const holdingBytes = 400;

/** The owners as one registry, with a table beside it of what was taken over from each. */
export class MemoryOwners implements OwnersPort {
  readonly #store: MemoryStore;
  readonly #base: string;
  readonly #log: MessageLog;
  readonly #registries: ExpiringTable<Registry>;
  readonly #taken: ExpiringTable<Set<string>>;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#base = ownersBase(keys);
    this.#log = new MessageLog(store);
    this.#registries = store.table('owners');
    this.#taken = store.table('owners-taken');
  }

  async renew(owner: string, leaseMs: number, bury: boolean): Promise<OwnerRenewed> {
    const registry = this.#open();
    const now = this.#store.now();
    const known = registry.living.get(owner);
    if (known === undefined) this.#weigh(registry, ownerBytes);
    const living: Living = known ?? { startedAtMs: now, leaseEndMs: 0, holds: new Map() };
    const late = known !== undefined && known.leaseEndMs < now;
    living.leaseEndMs = now + leaseMs;
    registry.living.set(owner, living);
    if (known === undefined) this.#tell({ type: 'came', owner });
    if (bury && !late) this.#buryDead(registry, now);
    this.#weigh(registry);
    if (late) return { kept: true, nextEndMs: undefined };
    const others = [...registry.living].filter(([id]) => id !== owner).map(([, other]) => other.leaseEndMs);
    const nextEndMs = others.length === 0 ? undefined : Math.max(0, Math.min(...others) + 1 - now);
    return { kept: known !== undefined, nextEndMs };
  }

  async hold(owner: string, name: string): Promise<boolean> {
    const registry = this.#open();
    const living = registry.living.get(owner);
    if (living === undefined) return false;
    this.#hold(registry, living, name);
    return true;
  }

  async release(owner: string, name: string): Promise<boolean> {
    const registry = this.#open();
    const released = registry.living.get(owner)?.holds.delete(name) ?? false;
    if (released) this.#weigh(registry);
    return released;
  }

  async restore(owner: string, names: readonly string[]): Promise<string[] | undefined> {
    const registry = this.#open();
    const living = registry.living.get(owner);
    if (living === undefined) return undefined;
    const taken = this.#taken.get(this.#takenKey(owner));
    const [lost, kept]: [string[], string[]] = [[], []];
    for (const name of names) (taken?.has(name) ? lost : kept).push(name);
    for (const name of kept) this.#hold(registry, living, name);
    return lost;
  }

  async takeOver(owner: string, name: string): Promise<TakeOver> {
    const registry = this.#open();
    const living = registry.living.get(owner);
    if (living === undefined) return 'unknown';
    if (!this.#orphans(registry).has(name)) return living.holds.has(name) ? 'held' : 'none';
    this.#hold(registry, living, name);
    return 'taken';
  }

  async leave(owner: string): Promise<boolean> {
    const registry = this.#open();
    const living = registry.living.get(owner);
    if (living === undefined) return false;
    this.#bury(registry, owner, living);
    this.#weigh(registry);
    return true;
  }

  async list(): Promise<StoredOwner[]> {
    const now = this.#store.now();
    const alive = [...this.#open().living].filter(([, { leaseEndMs }]) => leaseEndMs >= now);
    return alive.map(storedOf).toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }

  async orphans(): Promise<Orphan[]> {
    return [...this.#orphans(this.#open()).values()].toSorted(byName);
  }

  #open(): Registry {
    return this.#registries.get(this.#base) ?? { living: new Map(), orphans: new Map(), orphansEndMs: 0 };
  }

  #orphans(registry: Registry): Map<string, Orphan> {
    if (registry.orphansEndMs < this.#store.now()) registry.orphans.clear();
    return registry.orphans;
  }

  #hold(registry: Registry, living: Living, name: string): void {
    // A full store refuses before anything has happened.
    this.#weigh(registry, living.holds.has(name) ? 0 : holdingBytes);
    const orphan = this.#orphans(registry).get(name);
    if (orphan !== undefined) {
      registry.orphans.delete(name);
      this.#noteTaken(orphan);
    }
    if (!living.holds.has(name)) living.holds.set(name, this.#store.now());
    this.#weigh(registry);
  }

  #noteTaken({ owner, name }: Orphan): void {
    const key = this.#takenKey(owner);
    const names = this.#taken.get(key) ?? new Set();
    names.add(name);
    try {
      this.#taken.set(key, names, names.size * holdingBytes, this.#store.now() + takenKeepMs);
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
  }

  #buryDead(registry: Registry, now: number): void {
    const dead = [...registry.living].filter(([, { leaseEndMs }]) => leaseEndMs < now).toSorted(byEnd);
    for (const [id, living] of dead.slice(0, mostDead)) this.#bury(registry, id, living);
  }

  #bury(registry: Registry, owner: string, living: Living): void {
    const orphans = this.#orphans(registry);
    registry.living.delete(owner);
    for (const [name, sinceMs] of living.holds) {
      const held = [...registry.living.values()].some((other) => other.holds.has(name));
      if (!held) orphans.set(name, { name, owner, sinceMs });
    }
    registry.orphansEndMs = this.#store.now() + keepMs;
    this.#tell({ type: 'gone', owner, holds: [...living.holds.keys()].toSorted() });
  }

  // A full store must keep nobody from going: nothing is told then.
  #tell(event: object): void {
    const channel = `${this.#base}:events`;
    try {
      this.#log.append(channel, channel, JSON.stringify(event), { ...ownerEventRules, format: 'framed' });
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
  }

  #weigh(registry: Registry, addedBytes: number = 0): void {
    let holdings = registry.orphans.size;
    for (const { holds } of registry.living.values()) holdings += holds.size;
    const bytes = registry.living.size * ownerBytes + holdings * holdingBytes + addedBytes;
    this.#registries.set(this.#base, registry, bytes, this.#store.now() + keepMs);
  }

  #takenKey(owner: string): string {
    return `${this.#base}:taken:${owner}`;
  }
}

function storedOf([id, { startedAtMs, leaseEndMs, holds }]: [string, Living]): StoredOwner {
  const held: Holding[] = Array.from(holds, ([name, sinceMs]) => ({ name, sinceMs }));
  return { id, startedAtMs, leaseEndMs, holds: held.toSorted(byName) };
}

function byEnd([id, living]: [string, Living], [other, otherLiving]: [string, Living]): number {
  return living.leaseEndMs - otherLiving.leaseEndMs || (id < other ? -1 : 1);
}
