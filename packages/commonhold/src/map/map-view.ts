import type { MapChange, MapEntry } from './map-entry.js';

/** An entry of a map without a prefix, which always has a version. */
type VersionedEntry<Value> = MapEntry<Value> & { readonly version: number };

/**
 * What is known of a map's entries. Pages and changes may come in any order: of two that concern a key the one with the
 * greater version holds. While pages are still to come (see `settle`), removals are remembered, since a page may tell of
 * an entry that a change has removed already.
 */
export class MapView<Value> {
  readonly #entries = new Map<string, VersionedEntry<Value>>();
  #removed: Map<string, number> | undefined = new Map();
  /** Everything up to this version is in the pages. */
  #floor = 0;
  /** Everything below this version was removed at once. */
  #clearedAt = 0;

  get entries(): ReadonlyMap<string, MapEntry<Value>> {
    return this.#entries;
  }

  /** Takes an entry of a page. */
  read(entry: MapEntry<Value>): void {
    const { key, version = 0 } = entry;
    const newest = Math.max(this.#clearedAt, this.#removed?.get(key) ?? 0, this.#entries.get(key)?.version ?? 0);
    if (version > newest) this.#entries.set(key, { ...entry, version });
  }

  /** Says that the pages, which begin now, will hold everything up to `version`. */
  raiseFloor(version: number): void {
    this.#floor = Math.max(this.#floor, version);
  }

  /** Takes a change. */
  apply(change: MapChange<Value>): void {
    const { version } = change;
    // A removal is never skipped: it may concern what a change set here before the pages began.
    if (change.type === 'clear') this.#clear(version);
    else if (change.type === 'set' && version <= this.#floor) return;
    else if (version > (this.#entries.get(change.key)?.version ?? 0)) this.#change(change);
  }

  /** Says that every page was read. */
  settle(): void {
    this.#removed = undefined;
  }

  /** Drops an entry that has ended, which nobody need be told again. */
  drop(key: string): void {
    this.#entries.delete(key);
  }

  #change(change: Exclude<MapChange<Value>, { readonly type: 'clear' }>): void {
    const { key, version } = change;
    if (change.type === 'delete') {
      this.#entries.delete(key);
      this.#removed?.set(key, version);
      return;
    }
    const { value, owner, expiresAtMs } = change;
    if (version > (this.#removed?.get(key) ?? 0)) this.#entries.set(key, { key, value, version, owner, expiresAtMs });
  }

  #clear(version: number): void {
    for (const [key, entry] of this.#entries) if (entry.version < version) this.#entries.delete(key);
    this.#clearedAt = version;
  }
}
