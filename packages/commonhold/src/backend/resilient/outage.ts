import type { Clock, Timer } from '../../clock.js';
import type { Log } from '../../log.js';
import { jittered, type Random } from '../../random.js';
import type { BackendStatus } from '../backend.js';
import type { Journal } from './journal.js';

/** The store must be well for this long before that is said: one that comes and goes is away. */
const quietMs = 250;
/** How often it is tried to bring the journal to a store, a part of which is away. */
const retryMs = 1_000;

/** What an outage needs. */
export interface OutageOptions {
  readonly status: () => BackendStatus;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called when it begins, and when it ends. */
  readonly onChange: () => void;
}

/**
 * Says whether the store is away, with hysteresis: it is as soon as it does not answer, and no longer when it has been well
 * for a while and what was written meanwhile is there. Calls do not wait for this: each goes to the store again from the
 * moment it answers.
 */
export class Outage {
  readonly #options: OutageOptions;
  #reason: string | undefined;
  #sinceMs = 0;
  #quiet: Timer | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: OutageOptions) {
    this.#options = options;
    options.journal.onEntry(() => this.#retrySoon());
    this.look();
  }

  /** Why the store counts as away; undefined when it does not. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Looks at the store: something about it may have changed. */
  look(): void {
    if (this.#closed) return;
    const status = this.#options.status();
    if (!status.connected) this.#away(status.reason);
    else if (this.#reason !== undefined) void this.#back();
  }

  close(): void {
    this.#closed = true;
    this.#quiet?.cancel();
    this.#retry?.cancel();
  }

  #away(reason: string): void {
    const began = this.#reason === undefined;
    this.#reason = reason;
    this.#quiet?.cancel();
    this.#quiet = undefined;
    if (!began) return;
    this.#sinceMs = this.#options.clock.monotonic();
    this.#options.log.warn({ reason }, 'Running without Redis');
    this.#options.onChange();
  }

  // Revocations must be there before anybody is served by what they revoke, so this does not wait.
  async #back(): Promise<void> {
    const done = await this.#options.journal.replay();
    if (this.#closed || !this.#options.status().connected) return;
    if (!done) return this.#retrySoon();
    this.#quiet ??= this.#options.clock.setTimer(() => this.#over(), quietMs);
  }

  #over(): void {
    this.#quiet = undefined;
    if (!this.#options.status().connected) return;
    if (!this.#options.journal.empty) return void this.#back();
    const { clock, log, onChange } = this.#options;
    this.#reason = undefined;
    log.info({ awayMs: Math.round(clock.monotonic() - this.#sinceMs) }, 'Running with Redis again');
    onChange();
  }

  // A part of a cluster may be away, or be back, without the whole being so; and one call may fail where others do not.
  #retrySoon(): void {
    if (this.#closed || this.#retry !== undefined) return;
    const { clock, random, journal } = this.#options;
    this.#retry = clock.setTimer(
      () => {
        this.#retry = undefined;
        if (journal.empty) return this.look();
        void journal.replay().then((done) => (done ? this.look() : this.#retrySoon()));
      },
      jittered(random, retryMs),
    );
  }
}
