import type { BackendStatus } from './backend.js';
import type { Unsubscribe } from './bus.js';

/** Who wants to hear that the status of a connection may have changed. */
export class StatusWatch {
  readonly #listeners = new Set<() => void>();

  /** Calls `listener` with each change. */
  readonly on = (listener: () => void): Unsubscribe => {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };

  /** Tells all of a change. */
  readonly changed = (): void => {
    for (const listener of [...this.#listeners]) listener();
  };
}

/** What a server says of itself, with its name among several. */
export function servedBy(endpoint: string, status: BackendStatus): BackendStatus {
  return status.kind === 'memory' ? status : { ...status, endpoint };
}
