import type { Duration, SharedMap, SharedState } from 'commonhold';

/** What every record carries: the container that wrote it last. */
export interface Owned {
  readonly container_id: string;
}

/** Options of a {@link RedisStateManager}. */
export interface StateManagerOptions {
  /** How long a record lives after it was last written, unless `createSession` says otherwise. Default one hour. */
  readonly ttl?: Duration;
  /** Who writes. Default the name of this process. */
  readonly containerId?: string;
}

/** The name of this container: the owner's, without its incarnation. */
export function containerOf(owner: string): string {
  return owner.slice(0, owner.lastIndexOf('#'));
}

/**
 * Records by key that all containers share, each with the container that wrote it last: the base for state of one's own.
 * On Redis and in memory alike, whatever the name says.
 */
export class RedisStateManager<Data extends object = Record<string, unknown>> {
  /** The records themselves, for what the four methods do not do. */
  readonly records: SharedMap<Data & Owned>;
  readonly containerId: string;

  /** @param namespace its name among the maps of `state`. */
  constructor(state: SharedState, namespace: string, options: StateManagerOptions = {}) {
    // Containers share the work on one record: what one of them cannot see is not acknowledged.
    this.records = state.map<Data & Owned>(namespace, { ttl: options.ttl ?? '1h', away: 'throw' });
    this.containerId = options.containerId ?? containerOf(state.owner);
  }

  /** Writes a record, whatever was there. */
  async createSession(key: string, data: Data, options: { readonly ttl?: Duration } = {}): Promise<Data & Owned> {
    const record = this.#owned(data);
    await this.records.set(key, record, options);
    return record;
  }

  /** The record, or undefined when there is none or its time is over. */
  getSession(key: string): Promise<(Data & Owned) | undefined> {
    return this.records.get(key);
  }

  /**
   * Changes a record in one atomic step and renews its time; undefined, and nothing written, when there is none.
   *
   * @param updates fields to replace, or a function of the record that returns them, or undefined to leave it as it is; the
   *   function may be called several times.
   */
  updateSession(
    key: string,
    updates: Partial<Data> | ((record: Data & Owned) => Partial<Data> | undefined),
  ): Promise<(Data & Owned) | undefined> {
    return this.records.update(key, (record) => {
      const changes = record && (typeof updates === 'function' ? updates(record) : updates);
      return record && changes && this.#owned({ ...record, ...changes });
    });
  }

  /** Removes a record; returns whether there was one. */
  deleteSession(key: string): Promise<boolean> {
    return this.records.delete(key);
  }

  #owned(data: Data): Data & Owned {
    return { ...data, container_id: this.containerId };
  }
}
