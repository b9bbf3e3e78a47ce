import type { Backend, JournalConflict, StoreLoss } from './backend/backend.js';
import type { Unsubscribe } from './backend/bus.js';
import type { Clock } from './clock.js';
import type { CloseReport } from './close-report.js';
import { InvalidArgumentError } from './errors.js';
import type { Codec } from './codec/codec.js';
import type { Log } from './log.js';

/** What a state tells of itself, by name. */
export interface StateEvents {
  /** The store cannot be reached, or a part of it, or takes no writes: calls reject, or do what their feature does without it. */
  readonly degraded: { readonly reason: string };
  /** The store can be reached again, and takes writes. `awayMs`: for how long it could not. */
  readonly recovered: { readonly awayMs: number };
  /** What was written here while the store was away does not fit what is there by now: that stays. */
  readonly conflict: StateConflict;
  /**
   * The store lost data that it had acknowledged. Within 5 s of a loss, and before anything else after a return; a roll-back of
   * less than a second may go unseen.
   */
  readonly stateLost: StoreLoss;
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
  readonly #undo: readonly Unsubscribe[];
  readonly #listeners: Listeners = {
    degraded: new Set(),
    recovered: new Set(),
    conflict: new Set(),
    stateLost: new Set(),
    closed: new Set(),
  };
  /** Monotonic; undefined while the store can be reached. */
  #awaySinceMs: number | undefined;

  constructor(
    backend: Pick<Backend, 'status' | 'onStatusChange' | 'onConflict' | 'onLoss'>,
    { clock, log, codec }: { readonly clock: Clock; readonly log: Log; readonly codec: Codec },
  ) {
    this.#backend = backend;
    this.#clock = clock;
    this.#log = log;
    this.#awaySinceMs = this.#trouble() === undefined ? undefined : clock.monotonic();
    this.#undo = [
      backend.onStatusChange(() => this.#look()),
      backend.onLoss((loss) => this.#tell('stateLost', loss)),
      backend.onConflict(({ ours, ...conflict }) =>
        ours === undefined
          ? this.#tell('conflict', conflict)
          : void this.#tellDecoded(conflict, () => codec.decode(ours, `The value of a ${conflict.feature}`)),
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
    for (const undo of this.#undo) undo();
    this.#tell('closed', report);
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
  }

  #look(): void {
    const reason = this.#trouble();
    const sinceMs = this.#awaySinceMs;
    if (reason !== undefined) {
      this.#awaySinceMs ??= this.#clock.monotonic();
      if (sinceMs === undefined) this.#tell('degraded', { reason });
    } else if (sinceMs !== undefined) {
      this.#awaySinceMs = undefined;
      this.#tell('recovered', { awayMs: this.#clock.monotonic() - sinceMs });
    }
  }

  // Away, or there and refusing writes, or a part of it away.
  #trouble(): string | undefined {
    const status = this.#backend.status();
    if (!status.connected) return status.reason;
    return status.kind === 'redis' ? (status.refusing ?? status.cacheAway) : undefined;
  }

  // A large value is decompressed in its own time.
  async #tellDecoded(conflict: StateConflict, decode: () => unknown): Promise<void> {
    try {
      this.#tell('conflict', { ...conflict, ours: await decode() });
    } catch {
      this.#tell('conflict', conflict);
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
