import type { UniqueSet } from 'commonhold';
import { emptyPersistentRecord, type HistoryEntry, type PersistentRecord } from './persistent-record.js';
import type { RoseId } from './rose-id.js';

/** What is known beyond the life of one session, by the names that clients see. */
export interface PersistentFields {
  /** Different roses over all sessions. */
  readonly total_unique_roses: number;
  /** The sum of what each session saw for the first time. */
  readonly cumulative_unique_roses: number;
  readonly session_history: readonly HistoryEntry[];
  readonly last_session_id: string | null;
  readonly next_session_number: number;
}

/** The part of a shared map that is used here. */
export interface PersistentMap {
  get(key: string): Promise<PersistentRecord | undefined>;
  update(
    key: string,
    change: (record: PersistentRecord | undefined) => PersistentRecord | undefined,
  ): Promise<PersistentRecord | undefined>;
}

/** Where the persistent data live. */
export interface PersistentStores {
  readonly records: PersistentMap;
  /** Every rose. */
  readonly total: Pick<UniqueSet, 'add' | 'count'>;
  /** Every pair of a session and a rose of it. */
  readonly cumulative: Pick<UniqueSet, 'add' | 'count'>;
}

/** The key of the one document. */
const key = 'persistent_data';

/** One record that all workers share, with the feel of a dictionary. */
export class PersistentData {
  readonly #stores: PersistentStores;
  readonly #fields: { readonly [Field in keyof PersistentFields]: () => Promise<PersistentFields[Field]> };

  constructor(stores: PersistentStores) {
    this.#stores = stores;
    this.#fields = {
      total_unique_roses: () => stores.total.count(),
      cumulative_unique_roses: () => stores.cumulative.count(),
      session_history: async () => (await this.record()).session_history,
      last_session_id: async () => (await this.record()).last_session_id,
      next_session_number: async () => (await this.record()).next_session_number,
    };
  }

  /** One field, as it is now. */
  get<Field extends keyof PersistentFields>(field: Field): Promise<PersistentFields[Field]> {
    return this.#fields[field]();
  }

  /** The document: all that is not a set. */
  async record(): Promise<PersistentRecord> {
    return (await this.#stores.records.get(key)) ?? emptyPersistentRecord;
  }

  /** Changes the document in one step; `change` may be called several times. */
  async update(change: (record: PersistentRecord) => PersistentRecord): Promise<void> {
    await this.#stores.records.update(key, (record) => change(record ?? emptyPersistentRecord));
  }

  /** Adds roses of a session to both sets. Adding them again changes nothing. */
  async addRoses(sessionNumber: number, roses: readonly RoseId[]): Promise<void> {
    if (roses.length === 0) return;
    const names = roses.map(String);
    await Promise.all([
      this.#stores.total.add(names),
      this.#stores.cumulative.add(names.map((name) => `${sessionNumber}:${name}`)),
    ]);
  }
}
