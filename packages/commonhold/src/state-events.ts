import type { Backend, JournalConflict } from './backend/backend.js';
import type { Unsubscribe } from './backend/bus.js';
import type { Clock } from './clock.js';
import type { CloseReport } from './close-report.js';
import { InvalidArgumentError } from './errors.js';
import type { Codec } from './codec/codec.js';
import type { Log } from './log.js';

/** What a state tells of itself, by name. */
export interface StateEvents {
  /** The store cannot be reached, or a part of it: calls reject, or do what their feature does without it. */
  readonly degraded: { readonly reason: string };
  /** The store can be reached again. `awayMs`: for how long it could not. */
  readonly recovered: { readonly awayMs: number };
  /** What was written here while the store was away does not fit what is there by now: that stays. */
  readonly conflict: StateConflict;
  /** `close()` is done; nothing more is told. */
  readonly closed: CloseReport;
}

/** A write that waited for the store in vain. */
export interface StateConflict extends Omit<JournalConflict, 'ours'> {
  /** The value that was to be written, where there was one. */
  readonly ours?: unknown;
}

/** Hears of one kind of event. */
export type StateListener<Name extends keyof StateEvents> = (event: StateEvents[Name]) => void | Promise<void>;

type Listeners = { readonly [Name in keyof StateEvents]: Set<StateListener<Name>> };

/** Watches the connection of a state and tells its listeners when it goes and comes. */
export class StateEmitter {
  readonly #backend: Pick<Backend, 'status'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #unwatch: readonly Unsubscribe[];
  readonly #listeners: Listeners = {
    degraded: new Set(),
    recovered: new Set(),
    conflict: new Set(),
    closed: new Set(),
  };
  /** Monotonic; undefined while the store can be reached. */
  #awaySinceMs: number | undefined;

  constructor(
    backend: Pick<Backend, 'status' | 'onStatusChange' | 'onConflict'>,
    { clock, log, codec }: { readonly clock: Clock; readonly log: Log; readonly codec: Codec },
  ) {
    this.#backend = backend;
    this.#clock = clock;
    this.#log = log;
    this.#awaySinceMs = backend.status().connected ? undefined : clock.monotonic();
    this.#unwatch = [
      backend.onStatusChange(() => this.#look()),
      backend.onConflict(({ ours, ...conflict }) =>
        this.#tell(
          'conflict',
          ours === undefined
            ? conflict
            : { ...conflict, ours: codec.decode(ours, `The value of a ${conflict.feature}`) },
        ),
      ),
    ];
  }

  /** @throws InvalidArgumentError for a name that no event has, and what is no function. */
  on<Name extends keyof StateEvents>(name: Name, listener: StateListener<Name>): Unsubscribe {
    if (!Object.hasOwn(this.#listeners, name)) {
      throw new InvalidArgumentError('state.on', `one of ${Object.keys(this.#listeners).join(', ')}`, name);
    }
    if (typeof listener !== 'function') throw new InvalidArgumentError(`state.on, ${name}`, 'a function', listener);
    // One entry a call, so that a listener given twice leaves once.
    const own: StateListener<Name> = (event) => listener(event);
    this.#listeners[name].add(own);
    return () => void this.#listeners[name].delete(own);
  }

  /** Tells of the end, and forgets all listeners. */
  close(report: CloseReport): void {
    for (const unwatch of this.#unwatch) unwatch();
    this.#tell('closed', report);
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
  }

  #look(): void {
    const status = this.#backend.status();
    const sinceMs = this.#awaySinceMs;
    if (!status.connected) {
      this.#awaySinceMs ??= this.#clock.monotonic();
      if (sinceMs === undefined) this.#tell('degraded', { reason: status.reason });
    } else if (sinceMs !== undefined) {
      this.#awaySinceMs = undefined;
      this.#tell('recovered', { awayMs: this.#clock.monotonic() - sinceMs });
    }
  }

  #tell<Name extends keyof StateEvents>(name: Name, event: StateEvents[Name]): void {
    for (const listener of [...this.#listeners[name]]) void this.#call(name, () => listener(event));
  }

  // What a listener throws must harm neither the others nor the connection that is being mended.
  async #call(name: string, listener: () => void | Promise<void>): Promise<void> {
    try {
      await listener();
    } catch (error) {
      this.#log.error({ event: name, error: String(error) }, 'a listener of the state failed');
    }
  }
}
