import type { Stored } from '../../src/codec/stored.js';

/** What Redis answers with when `stored` was written: always bytes. */
export function storedBytes(stored: Stored): Buffer {
  return typeof stored === 'string' ? Buffer.from(stored) : stored;
}
