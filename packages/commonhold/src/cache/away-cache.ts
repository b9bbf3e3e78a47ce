import type { AwayPlace } from '../backend/resilient/away-place.js';
import type { JournalPart } from '../backend/resilient/journal-part.js';
import type { JournalScope } from '../backend/resilient/journal-scope.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import { OverloadedError } from '../errors.js';
import type { CachePort } from './cache-port.js';

/** What the store must do to a key before it is asked about it again. */
interface WaitingKey {
  readonly cache: string;
  readonly key: string;
  /** Whether the value goes, is made stale, or stays. */
  end: 'delete' | 'expire' | 'none';
  staleMs: number;
  announce: boolean;
  /** Claims that this process may hold and has no use for. */
  readonly tokens: Set<string>;
  /** Counts what was noted, so that what is noted while the store is told is not taken as told. */
  notes: number;
}

/** Tags to be cleared. */
interface WaitingTags {
  readonly cache: string;
  readonly tags: Set<string>;
}

const entryBytes = 200;

/**
 * A cache without its store. What is removed here is removed there before the key is asked for again; so is what was
 * written here, since the value there is older. Claims that may have been given are given back, or everybody would wait
 * for their lease to end. Reads are not answered here: who asks takes it as a miss.
 */
export class AwayCache implements AwayTwin<CachePort> {
  readonly answers: AwayTwin<CachePort>['answers'];
  readonly #store: CachePort;
  readonly #journal: JournalScope;
  readonly #keys: JournalPart<WaitingKey>;
  readonly #tags: JournalPart<WaitingTags>;

  constructor(store: CachePort, { journal }: AwayPlace) {
    this.#store = store;
    this.#journal = journal;
    this.#keys = journal.part<WaitingKey>({
      replay: (_, waiting) => this.#replayKey(waiting),
      subject: (_, { cache, key }) => ({ feature: 'cache', name: cache, key }),
    });
    this.#tags = journal.part<WaitingTags>({
      replay: (_, waiting) => this.#replayTags(waiting),
      subject: (_, { cache }) => ({ feature: 'cache', name: cache }),
    });
    this.answers = {
      set: async (cache, key) => this.#written(cache, key, false),
      setMany: async (cache, entries) => entries.forEach(([key]) => this.#written(cache, key, false)),
      replace: async (cache, key, { announce }) => this.#written(cache, key, announce),
      delete: async (cache, keys, announce) => {
        for (const key of keys) this.#note(cache, key, (waiting) => end(waiting, 'delete', announce));
        return 0;
      },
      expire: async (cache, keys, staleMs, announce) => {
        for (const key of keys) this.#note(cache, key, (waiting) => end(waiting, 'expire', announce, staleMs));
        return 0;
      },
      claim: (cache, key, token) => void this.#giveBack(cache, key, token),
      fulfil: async (cache, key, token) => this.#giveBack(cache, key, token),
      abandon: async (cache, key, token) => void this.#giveBack(cache, key, token),
      hold: async (cache, key, token) => void this.#giveBack(cache, key, token),
      mark: async (cache, tags) => this.#mark(cache, tags),
    };
  }

  /**
   * Whether the store must be told something first. Until it was: a read behind it on the same connection may still overtake
   * a script that the store had lost, and bring what is being removed.
   */
  holds(cache: string, what: string | readonly (string | readonly [string, unknown])[] = []): boolean {
    if (this.#tags.size > 0 && this.#tags.get(cache) !== undefined) return true;
    if (this.#keys.size === 0) return false;
    if (typeof what === 'string') return this.#ends(cache, what);
    return what.some((one) => this.#ends(cache, typeof one === 'string' ? one : one[0]));
  }

  #ends(cache: string, key: string): boolean {
    return (this.#keys.get(nameOf(cache, key))?.end ?? 'none') !== 'none';
  }

  // A set is not worth the room of what must not be lost.
  #written(cache: string, key: string, announce: boolean): void {
    const { bytes, maxBytes } = this.#journal.size;
    if (bytes < maxBytes / 2) this.#note(cache, key, (waiting) => end(waiting, 'delete', announce));
  }

  #giveBack(cache: string, key: string, token: string): false {
    try {
      this.#note(cache, key, ({ tokens }) => void tokens.add(token));
    } catch (error) {
      // It ends by itself with its lease.
      if (!(error instanceof OverloadedError)) throw error;
    }
    return false;
  }

  /** @throws OverloadedError when the journal is full. */
  #note(cache: string, key: string, change: (waiting: WaitingKey) => void): void {
    const name = nameOf(cache, key);
    const known = this.#keys.get(name) !== undefined;
    const begin = (): WaitingKey => {
      return { cache, key, end: 'none', staleMs: 0, announce: false, tokens: new Set(), notes: 0 };
    };
    const waiting = this.#keys.enter(name, known ? 0 : entryBytes + name.length, begin);
    change(waiting);
    waiting.notes++;
  }

  /** Answers with a mark below all others: what the store will give is heard of when it has. */
  #mark(cache: string, tags: readonly string[]): number {
    const fresh = tags.filter((tag) => this.#tags.get(cache)?.tags.has(tag) !== true);
    const bytes = fresh.reduce((sum, tag) => sum + entryBytes / 2 + 2 * tag.length, 0);
    const waiting = this.#tags.enter(cache, bytes, () => ({ cache, tags: new Set() }));
    for (const tag of fresh) waiting.tags.add(tag);
    return 0;
  }

  async #replayKey(waiting: WaitingKey): Promise<boolean> {
    const { cache, key, announce, staleMs, notes } = waiting;
    if (waiting.end === 'delete') await this.#store.delete(cache, [key], announce);
    else if (waiting.end === 'expire') await this.#store.expire(cache, [key], staleMs, announce);
    // Both end every claim.
    else await Promise.all([...waiting.tokens].map((token) => this.#store.abandon(cache, key, token)));
    return waiting.notes === notes;
  }

  async #replayTags({ cache, tags }: WaitingTags): Promise<boolean> {
    const sent = [...tags];
    await this.#store.mark(cache, sent);
    for (const tag of sent) tags.delete(tag);
    return tags.size === 0;
  }
}

function end(waiting: WaitingKey, how: 'delete' | 'expire', announce: boolean, staleMs = 0): void {
  if (waiting.end !== 'delete') waiting.end = how;
  waiting.staleMs = Math.max(waiting.staleMs, staleMs);
  waiting.announce ||= announce;
}

function nameOf(cache: string, key: string): string {
  return `${cache.length} ${cache}${key}`;
}
