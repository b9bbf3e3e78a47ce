import type { Stored } from '../codec/stored.js';
import type { MapRecord } from './map-port.js';

/** An entry of the documented layout, which holds nothing but its value. */
export function valueOnly(value: Stored): MapRecord {
  return { value, version: undefined, owner: undefined, expiresAtMs: undefined };
}
