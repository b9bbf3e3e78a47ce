import type { Stored } from '../codec/stored.js';
import { isCommonholdError } from '../errors.js';
import type { MapChange } from './map-entry.js';
import type { MapKeyChange, MapMessage } from './map-message.js';
import { decodeOwner } from './map-port.js';

/** Decodes one stored value. */
export interface ValueReader<Value> {
  decode(stored: Stored, key: string): Value | Promise<Value>;
}

/** The changes that a message tells of. */
export interface ReadChanges<Value> {
  readonly changes: readonly MapChange<Value>[];
  /** Keys that were set to what cannot be read, as by a newer version. */
  readonly unreadable: readonly UnreadableChange[];
  /** False for what is no message of a map, as when another program published it. */
  readonly complete: boolean;
}

/** A key whose value cannot be read. */
export interface UnreadableChange {
  readonly key: string;
  readonly version: number;
}

/** Reads a published message. */
export async function readChanges<Value>(message: MapMessage, values: ValueReader<Value>): Promise<ReadChanges<Value>> {
  if (!isMapMessage(message)) return { changes: [], unreadable: [], complete: false };
  const { version, changes } = message;
  const owner = decodeOwner(message.owner);
  if (changes === undefined) return { changes: [{ type: 'clear', version, owner }], unreadable: [], complete: true };
  const read = await Promise.all(changes.map((change) => readChange(change, version, owner, values)));
  const unreadable = changes.filter((_, index) => read[index]?.length === 0).map(({ key }) => ({ key, version }));
  return { changes: read.flat(), unreadable, complete: true };
}

// Anybody may publish on a channel, so its messages are what they are and not what they should be.
function isMapMessage(message: unknown): message is MapMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { version, owner, changes = [] } = message as Partial<MapMessage>;
  return (
    Number.isSafeInteger(version) && typeof owner === 'string' && Array.isArray(changes) && changes.every(isKeyChange)
  );
}

function isKeyChange(change: unknown): change is MapKeyChange {
  if (typeof change !== 'object' || change === null) return false;
  const { key, value, expiresAt = null } = change as Partial<MapKeyChange>;
  const lives = expiresAt === null || typeof expiresAt === 'number';
  return typeof key === 'string' && lives && (value === undefined || Buffer.isBuffer(value));
}

async function readChange<Value>(
  { key, value, expiresAt }: MapKeyChange,
  version: number,
  owner: string,
  values: ValueReader<Value>,
): Promise<MapChange<Value>[]> {
  if (value === undefined) return [{ type: 'delete', key, version, owner: owner === '' ? undefined : owner }];
  try {
    const read = await values.decode(Buffer.from(value), key);
    return [{ type: 'set', key, value: read, version, owner, expiresAtMs: expiresAt ?? undefined }];
  } catch (error) {
    if (!isCommonholdError(error)) throw error;
    return [];
  }
}
