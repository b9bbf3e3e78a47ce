import type { Stored } from '../codec/stored.js';

/**
 * What a map publishes with each write, encoded as the codec encodes values: other bytes than text travel as they are.
 * The Redis twin writes the same in lua/entries.lua.
 */
export interface MapMessage {
  /** The version the write has; it decides which of two writes to a key is the newer. */
  readonly version: number;
  /** Who wrote, as headers hold it; empty where entries ended by themselves. */
  readonly owner: string;
  /** The keys concerned; absent where every entry was removed. */
  readonly changes?: readonly MapKeyChange[];
}

/** One key: set where there is a value, removed where there is none. */
export interface MapKeyChange {
  readonly key: string;
  /** Server milliseconds since 1970; null for no end. */
  readonly expiresAt?: number | null;
  /** The encoded value. */
  readonly value?: Uint8Array;
}

/** The stored form of a message: tagged JSON (0x02) with the values behind it, plain JSON where there are none. */
export function encodeMapMessage({ version, owner, changes }: MapMessage): Stored {
  const values: Uint8Array[] = [];
  let offset = 0;
  const tagged = changes?.map(({ key, expiresAt, value }) => {
    if (value === undefined) return { key };
    values.push(value);
    offset += value.length;
    return { key, expiresAt, value: { $bytes: [offset - value.length, value.length] } };
  });
  const text = JSON.stringify({ version, owner, changes: tagged });
  return values.length === 0 ? text : Buffer.concat([Buffer.from(`\u0002${text}\0`), ...values]);
}
