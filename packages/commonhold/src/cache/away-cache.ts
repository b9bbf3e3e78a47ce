import type { AwayPlace } from '../backend/resilient/away-place.js';
import { inTurns } from '../backend/resilient/in-turns.js';
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
}

/** Tags to be cleared. */
interface WaitingTags {
  readonly cache: string;
  readonly tags: Set<string>;
}

/** A key, several, or such with their values. */
type What = string | readonly (string | readonly [string, unknown])[];

const entryBytes = 200;
const tokenBytes = 150;

/**
 * A cache without its store. What is removed here is removed there before the key is asked for again; so is what was
 * written here, since the value there is older. Claims that may have been given are given back, or everybody would wait
 * for their lease to end. Reads are not answered here: who asks takes it as a miss.
 */
export class AwayCache implements AwayTwin<CachePort> {
  readonly answers: AwayTwin<CachePort>['answers'];
  readonly unsure: NonNullable<AwayTwin<CachePort>['unsure']>;
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
      set: async (cache, key) => this.#written(cache, [key], false),
      setMany: async (cache, entries) => this.#written(cache, keysOf(entries), false),
      replace: async (cache, key, { announce }) => this.#written(cache, [key], announce),
      delete: async (cache, keys, announce) => {
        for (const key of keys) this.#note(cache, key, (waiting) => end(waiting, 'delete', announce));
        return 0;
      },
      expire: async (cache, keys, staleMs, announce) => {
        for (const key of keys) this.#note(cache, key, (waiting) => end(waiting, 'expire', announce, staleMs));
        return 0;
      },
      mark: async (cache, tags) => this.#mark(cache, tags),
      // One that certainly was not given leaves nothing to give back.
      claim: () => undefined,
      fulfil: async (cache, key, token) => this.#giveBack(cache, key, token),
      abandon: async (cache, key, token) => void this.#giveBack(cache, key, token),
      hold: async (cache, key, token) => void this.#giveBack(cache, key, token),
    };
    this.unsure = { claim: (cache, key, token) => void this.#giveBack(cache, key, token) };
  }

  /** Whether the store must be told something first. */
  holds(cache: string, what: What = []): boolean {
    if (this.#tags.size > 0 && this.#tags.get(cache) !== undefined) return true;
    return this.#keys.size > 0 && keysOf(what).some((key) => this.#ends(cache, key));
  }

  // Were what is written meanwhile noted, a key that is written all the time would be told of for ever.
  sending(cache: string, what: What = []): Promise<void> | undefined {
    if (this.#keys.size === 0) return undefined;
    const key = keysOf(what).find((one) => this.#keys.sending(nameOf(cache, one)) !== undefined);
    return key === undefined ? undefined : this.#keys.sending(nameOf(cache, key));
  }

  #ends(cache: string, key: string): boolean {
    return (this.#keys.get(nameOf(cache, key))?.end ?? 'none') !== 'none';
  }

  #written(cache: string, keys: readonly string[], announce: boolean): void {
    for (const key of keys) this.#noteIfRoom(cache, key, (waiting) => end(waiting, 'delete', announce));
  }

  #giveBack(cache: string, key: string, token: string): false {
    const waiting = this.#keys.get(nameOf(cache, key));
    // What ends the value ends every claim.
    if (waiting?.tokens.has(token) === true || this.#ends(cache, key)) return false;
    this.#noteIfRoom(cache, key, ({ tokens }) => void tokens.add(token), tokenBytes + token.length);
    return false;
  }

  // What ends by itself is not worth the room of what must not be lost.
  #noteIfRoom(cache: string, key: string, change: (waiting: WaitingKey) => void, moreBytes = 0): void {
    const { bytes, maxBytes } = this.#journal.size;
    if (bytes >= maxBytes / 2) return;
    try {
      this.#note(cache, key, change, moreBytes);
    } catch (error) {
      if (!(error instanceof OverloadedError)) throw error;
    }
  }

  /** @throws OverloadedError when the journal is full. */
  #note(cache: string, key: string, change: (waiting: WaitingKey) => void, moreBytes = 0): void {
    const name = nameOf(cache, key);
    const known = this.#keys.get(name) !== undefined;
    const begin = (): WaitingKey => {
      return { cache, key, end: 'none', staleMs: 0, announce: false, tokens: new Set() };
    };
    change(this.#keys.enter(name, moreBytes + (known ? 0 : entryBytes + name.length), begin));
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
    const { cache, key, announce, staleMs } = waiting;
    if (waiting.end === 'delete') await this.#store.delete(cache, [key], announce);
    else if (waiting.end === 'expire') await this.#store.expire(cache, [key], staleMs, announce);
    else await this.#abandon(waiting);
    return true;
  }

  #abandon({ cache, key, tokens }: WaitingKey): Promise<void> {
    const abandon = (token: string) => () => this.#store.abandon(cache, key, token).then(() => tokens.delete(token));
    return inTurns([...tokens].map(abandon));
  }

  async #replayTags({ cache, tags }: WaitingTags): Promise<boolean> {
    // One that is cleared again meanwhile is told again.
    const mark = async (tag: string): Promise<void> => {
      tags.delete(tag);
      await this.#store.mark(cache, [tag]).catch((error: unknown) => {
        tags.add(tag);
        throw error;
      });
    };
    await inTurns([...tags].map((tag) => () => mark(tag)));
    return tags.size === 0;
  }
}

function keysOf(what: What): string[] {
  return typeof what === 'string' ? [what] : what.map((one) => (typeof one === 'string' ? one : one[0]));
}

function end(waiting: WaitingKey, how: 'delete' | 'expire', announce: boolean, staleMs = 0): void {
  if (waiting.end !== 'delete') waiting.end = how;
  waiting.staleMs = Math.max(waiting.staleMs, staleMs);
  waiting.announce ||= announce;
}

function nameOf(cache: string, key: string): string {
  return `${cache.length} ${cache}${key}`;
}
