import type { Log } from '../../log.js';
import type { StoreLoss } from '../backend.js';
import type { Unsubscribe } from '../bus.js';

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
    this.#log.error(details, kind === 'empty' ? 'Redis lost its data' : 'Redis went back to older data');
    for (const listener of [...this.#listeners]) listener({ kind, ...details });
  }
}
