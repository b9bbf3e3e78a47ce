import type { Log } from '../../log.js';
import type { StoreLoss, StoreLossKind } from '../backend.js';
import type { Unsubscribe } from '../bus.js';

const said: Readonly<Record<StoreLossKind, string>> = {
  empty: 'Redis lost its data',
  rolledBack: 'Redis went back to older data',
  evicted: 'Redis drops live keys, as its memory is short and maxmemory-policy is not noeviction',
};

/** Who wants to hear that the store lost data. */
export class LossWatch {
  readonly #log: Log;
  readonly #mayEvict: boolean;
  readonly #listeners = new Set<(loss: StoreLoss) => void>();

  /** @param mayEvict whether all that the store holds may go at any time, so that nobody is told. */
  constructor({ log, mayEvict = false }: { readonly log: Log; readonly mayEvict?: boolean | undefined }) {
    this.#log = log;
    this.#mayEvict = mayEvict;
  }

  /** Calls `listener` with each loss. */
  readonly on = (listener: (loss: StoreLoss) => void): Unsubscribe => {
    const own = (loss: StoreLoss): void => listener(loss);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };

  /** Tells all of a loss; then all that listens on `bus`, which may have missed anything. */
  tell(loss: StoreLoss, bus: { restored(): void }): void {
    if (!this.#mayEvict) this.#announce(loss);
    bus.restored();
  }

  #announce({ kind, ...details }: StoreLoss): void {
    this.#log.error(details, said[kind]);
    for (const listener of [...this.#listeners]) listener({ kind, ...details });
  }
}
