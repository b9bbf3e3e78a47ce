import type { Bus, Unsubscribe } from '../backend/bus.js';
import type { Clock } from '../clock.js';
import { decodePart, encodePart } from '../keys.js';
import { type NearBounds, NearStore } from './near-store.js';

/** What a near cache is bounded by. */
export interface NearRules extends NearBounds {
  /** How old an entry may grow here, should a change of it never be heard of. */
  readonly nearMs: number;
}

/** A value as it was read. Times are monotonic. */
export interface NearEntry<Value> {
  /** Undefined where it is known that there is nothing. */
  readonly value: Value | undefined;
  /** When it ends here. */
  readonly untilMs: number;
  /** When its lifetime ends; Infinity for never. */
  readonly endsAtMs: number;
}

/** One or more reads of one key that are under way. */
export interface NearFetch {
  readonly key: string;
  /** False once the key has changed since the reads were sent: what they bring may be old. */
  valid: boolean;
  readers: number;
}

/**
 * Values of one cache in this process, kept right by what is published on its channel: a key that changed is dropped, and
 * what a read brings is not kept if its key changed since it was sent. In two states:
 *
 * - deaf: at first, and from the moment the link breaks. Nothing is kept, and what was is given only to who asks for the last
 *   that was known, the store being away.
 * - hearing: entered when the subscription stands, and when the link is back, when everything is dropped.
 */
export class NearCache<Value> {
  readonly #clock: Clock;
  readonly #rules: NearRules;
  readonly #store: NearStore<NearEntry<Value>>;
  readonly #fetches = new Map<string, NearFetch>();
  readonly #undo: Unsubscribe[] = [];
  #hearing = false;
  #closed = false;

  constructor(rules: NearRules, clock: Clock) {
    this.#rules = rules;
    this.#clock = clock;
    this.#store = new NearStore(rules);
  }

  /** Begins to hear; until then nothing is kept. */
  open(bus: Bus, channel: string): void {
    this.#undo.push(bus.onBroken(() => this.#hear(false)));
    this.#undo.push(bus.onRestored(() => this.#hear(true)));
    void bus
      .subscribe(channel, (topic) => this.#changed(topic.toString()))
      .then((end) => {
        if (this.#closed) return end();
        this.#undo.push(end);
        this.#hear(true);
      });
  }

  /** The entry, unless it has ended. */
  get(key: string): NearEntry<Value> | undefined {
    return this.#hearing ? this.lastKnown(key) : undefined;
  }

  /** As `get`, also where changes are not heard of: while the store is away there is nothing newer to be had. */
  lastKnown(key: string): NearEntry<Value> | undefined {
    const entry = this.#store.get(key);
    if (entry === undefined || this.#clock.monotonic() <= entry.untilMs) return entry;
    this.#store.delete(key);
    return undefined;
  }

  /** Say so before a read is sent, and `end` it when what it brought was kept. */
  begin(key: string): NearFetch {
    const known = this.#fetches.get(key);
    if (known?.valid) {
      known.readers++;
      return known;
    }
    const fetch = { key, valid: this.#hearing, readers: 1 };
    this.#fetches.set(key, fetch);
    return fetch;
  }

  /** Keeps what a read brought that was sent at `sentAtMs` (monotonic); `leftMs` is what is left of its lifetime. */
  keep({ key, valid }: NearFetch, value: Value | undefined, bytes: number, sentAtMs: number, leftMs: number): void {
    if (!valid || !this.#hearing || decodePart(encodePart(key)) === undefined) return;
    const untilMs = sentAtMs + Math.min(leftMs, this.#rules.nearMs);
    this.#store.set(key, { value, untilMs, endsAtMs: sentAtMs + leftMs }, bytes);
  }

  end(fetch: NearFetch): void {
    fetch.readers--;
    if (fetch.readers === 0 && this.#fetches.get(fetch.key) === fetch) this.#fetches.delete(fetch.key);
  }

  /** The key changes, or has changed. */
  forget(key: string): void {
    this.#store.delete(key);
    const fetch = this.#fetches.get(key);
    if (fetch !== undefined) fetch.valid = false;
  }

  /** Everything may have changed. */
  forgetAll(): void {
    this.#store.clear();
    this.#invalidate();
  }

  close(): void {
    this.#closed = true;
    for (const undo of this.#undo.splice(0)) undo();
    this.#hear(false);
  }

  #hear(hearing: boolean): void {
    this.#hearing = hearing && !this.#closed;
    if (hearing || this.#closed) this.#store.clear();
    this.#invalidate();
  }

  #invalidate(): void {
    for (const fetch of this.#fetches.values()) fetch.valid = false;
  }

  #changed(topic: string): void {
    // A tag was cleared, which is rare: nobody here knows which values have it.
    if (topic.startsWith('tag:')) return this.forgetAll();
    const key = decodePart(topic.slice(topic.lastIndexOf(':') + 1));
    if (key !== undefined) this.forget(key);
  }
}
