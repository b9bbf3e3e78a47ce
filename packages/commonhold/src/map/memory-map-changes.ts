import type { ExpiringTable } from '../backend/memory/expiring-table.js';
import { MessageLog } from '../backend/memory/message-log.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import type { Stored } from '../codec/stored.js';
import { OverloadedError } from '../errors.js';
import { changeRules, encodeOwner } from './map-port.js';
import { encodeMapMessage, type MapMessage } from './map-message.js';

/** Entries that were set together. */
interface SetEntries {
  readonly version: number;
  readonly owner: string;
  /** Infinity without end. */
  readonly expiresAtMs: number;
  readonly entries: readonly (readonly [key: string, value: Stored])[];
}

/** Publishes what is written to the maps of one store, each on the stream of its map. */
export class MemoryMapChanges {
  readonly #log: MessageLog;
  readonly #logs: ExpiringTable<unknown>;

  constructor(store: MemoryStore) {
    this.#log = new MessageLog(store);
    this.#logs = store.table('message-log');
  }

  publishSet(base: string, { version, owner, expiresAtMs, entries }: SetEntries): void {
    const expiresAt = expiresAtMs === Infinity ? null : expiresAtMs;
    const changes = entries.map(([key, value]) => ({ key, expiresAt, value: Buffer.from(value as string) }));
    this.publish(base, { version, owner, changes });
  }

  /** Publishes one message. Where there is no room for it, the history goes, and subscribers are told to begin anew. */
  publish(base: string, message: MapMessage): void {
    const stream = `${base}:changes`;
    const body = encodeMapMessage({ ...message, owner: encodeOwner(message.owner) });
    try {
      this.#log.append(stream, stream, body, changeRules);
    } catch (error) {
      if (!(error instanceof OverloadedError)) throw error;
      this.#logs.delete(stream);
      this.#appendIfRoom(stream, body);
    }
  }

  // A message that is not even published now shows as a gap before the next one.
  #appendIfRoom(stream: string, body: Stored): void {
    try {
      this.#log.append(stream, stream, body, changeRules);
    } catch (error) {
      if (!(error instanceof OverloadedError)) throw error;
    }
  }
}
