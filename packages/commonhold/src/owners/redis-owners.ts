import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import type { NamedOperation } from '../operation.js';
import { ownersOperations as operations } from './owners-operations.js';
import {
  byName,
  type Holding,
  type Orphan,
  type OwnerRenewed,
  ownersBase,
  type OwnersPort,
  type StoredOwner,
  type TakeOver,
} from './owners-port.js';

const script = (file: string): Script => loadScript(import.meta.url, file);
const scripts = {
  renew: script('renew.lua'),
  hold: script('hold.lua'),
  release: script('release.lua'),
  restore: script('restore.lua'),
  takeOver: script('take-over.lua'),
  leave: script('leave.lua'),
  list: script('list.lua'),
};

type OwnerAnswer = readonly [id: string, leaseEndMs: string, fields: string[]];

/**
 * The owners are a sorted set by the end of their lease, each a hash of what it holds (`s` since when it is known,
 * `h.<name>` since when it holds that); orphans are one hash. All in one slot.
 */
export class RedisOwners implements OwnersPort {
  readonly #wire: RedisWire;
  readonly #base: string;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#base = ownersBase(keys);
  }

  async renew(owner: string, leaseMs: number, bury: boolean): Promise<OwnerRenewed> {
    const args = [owner, String(leaseMs), bury ? '1' : '0'];
    const [kept, nextEndMs] = (await this.#run(operations.renew, scripts.renew, args)) as [number, number];
    return { kept: kept === 1, nextEndMs: nextEndMs < 0 ? undefined : nextEndMs };
  }

  async hold(owner: string, name: string): Promise<boolean> {
    return (await this.#run(operations.hold, scripts.hold, [owner, name])) === 1;
  }

  async release(owner: string, name: string): Promise<boolean> {
    return (await this.#run(operations.release, scripts.release, [owner, name])) === 1;
  }

  async restore(owner: string, names: readonly string[]): Promise<string[] | undefined> {
    const lost = await this.#run(operations.restore, scripts.restore, [owner, ...names]);
    return lost === null ? undefined : (lost as string[]);
  }

  async takeOver(owner: string, name: string): Promise<TakeOver> {
    return (await this.#run(operations.takeOver, scripts.takeOver, [owner, name])) as TakeOver;
  }

  async leave(owner: string): Promise<boolean> {
    return (await this.#run(operations.leave, scripts.leave, [owner])) === 1;
  }

  async list(): Promise<StoredOwner[]> {
    const answers = (await this.#run(operations.list, scripts.list, [])) as OwnerAnswer[];
    return answers.map(readOwner).toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }

  async orphans(): Promise<Orphan[]> {
    const fields = (await this.#wire.command(operations.orphans, ['HGETALL', `${this.#base}:orphans`])) as string[];
    return pairsOf(fields).map(readOrphan).toSorted(byName);
  }

  #run(operation: NamedOperation, step: Script, args: readonly string[]): Promise<unknown> {
    return this.#wire.run(operation, step, [this.#base], args);
  }
}

function readOwner([id, leaseEndMs, flat]: OwnerAnswer): StoredOwner {
  const holds: Holding[] = [];
  let startedAtMs = 0;
  for (const [field, value] of pairsOf(flat)) {
    if (field === 's') startedAtMs = Number(value);
    else if (field.startsWith('h.')) holds.push({ name: field.slice(2), sinceMs: Number(value) });
  }
  return { id, startedAtMs, leaseEndMs: Number(leaseEndMs), holds: holds.toSorted(byName) };
}

function readOrphan([name, value]: readonly [string, string]): Orphan {
  const space = value.indexOf(' ');
  return { name, owner: value.slice(space + 1), sinceMs: Number(value.slice(0, space)) };
}

function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at] as string, flat[at + 1] as string]);
  return pairs;
}
