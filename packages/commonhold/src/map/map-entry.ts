/** An entry of a map, as it was when read. */
export interface MapEntry<Value> {
  readonly key: string;
  readonly value: Value;
  /** Grows with every write to the map. Undefined in the documented layout, which does not hold it. */
  readonly version: number | undefined;
  /** `name#incarnation` of the process that wrote the value. Undefined in the documented layout. */
  readonly owner: string | undefined;
  /** Milliseconds since 1970 by the store's clock; undefined for no end. */
  readonly expiresAtMs: number | undefined;
  /** The store is away: this is what the process last read or wrote of `key`, and `expiresAtMs` goes by its own clock. */
  readonly stale?: true;
}

/**
 * A change of a map with `changes: true`. A touched entry is set again, with the same value and owner. An entry that ended
 * by itself is deleted by nobody: its owner is then undefined.
 */
export type MapChange<Value> =
  | {
      readonly type: 'set';
      readonly key: string;
      readonly value: Value;
      readonly version: number;
      readonly owner: string;
      readonly expiresAtMs: number | undefined;
    }
  | { readonly type: 'delete'; readonly key: string; readonly version: number; readonly owner: string | undefined }
  | { readonly type: 'clear'; readonly version: number; readonly owner: string };
