import type { Cache, SharedMap, SharedState } from 'commonhold';
import { LRUCache } from 'lru-cache';
import { containerOf, type Owned } from '../state-manager.js';

/** What all containers know of a cached text. Times are milliseconds since 1970. */
export interface TextMetadata extends Owned {
  /** Bytes in UTF-8. */
  readonly size: number;
  readonly created_at: number;
  readonly last_accessed: number;
  readonly access_count: number;
  /** The file's time of last change, in nanoseconds, when it was read. */
  readonly file_mtime_ns: bigint;
  /** From then on it is read anew, however often it was used. */
  readonly expires_at: number;
}

/** A cached text. */
export interface CacheEntry extends TextMetadata {
  readonly content: string;
}

/** How a {@link TextCache} keeps texts. */
export interface TextCacheOptions {
  /** Bytes of text that this container keeps at hand. */
  readonly mostBytes: number;
  /** Milliseconds until a text is read anew: at most, and by default, 24 hours. */
  readonly ttlMs?: number;
}

const dayMs = 86_400_000;

/**
 * Texts of files, read once for all containers. The text itself is one shared copy, with the few that this container used
 * last at hand; how it is used is one shared record. A text counts for one state of its file, told by the time of last change.
 */
export class TextCache {
  /** What is known of each text, by its key. */
  readonly cache: SharedMap<TextMetadata>;
  readonly #shared: Cache<string>;
  readonly #atHand: LRUCache<string, string>;
  readonly #container: string;
  readonly #ttlMs: number;

  constructor(state: SharedState, { mostBytes, ttlMs = dayMs }: TextCacheOptions) {
    this.#ttlMs = Math.min(ttlMs, dayMs);
    this.cache = state.map<TextMetadata>('text-cache', { ttl: this.#ttlMs });
    this.#shared = state.cache<string>('texts', { ttl: this.#ttlMs });
    // A character takes at most two bytes here.
    const sizeCalculation = (text: string): number => Math.max(1, text.length * 2);
    this.#atHand = new LRUCache({ maxSize: mostBytes, sizeCalculation, ttl: this.#ttlMs });
    this.#container = containerOf(state.owner);
  }

  /** Bytes of text at hand. */
  get bytesAtHand(): number {
    return this.#atHand.calculatedSize;
  }

  /**
   * The text of a file whose time of last change is `fileMtimeNs`, counted as one access.
   *
   * @param load reads the file, where no container has this state of it.
   */
  async read(key: string, fileMtimeNs: bigint, load: () => Promise<string>): Promise<CacheEntry> {
    const content = await this.#content(`${key}@${fileMtimeNs}`, load);
    const fresh = (): TextMetadata => this.#accessed(undefined, content, fileMtimeNs);
    const metadata = await this.cache.update(key, (known) => this.#accessed(known, content, fileMtimeNs));
    return { ...(metadata ?? fresh()), content };
  }

  async #content(version: string, load: () => Promise<string>): Promise<string> {
    const atHand = this.#atHand.get(version);
    if (atHand !== undefined) return atHand;
    const content = await this.#shared.getOrSet(version, load);
    this.#atHand.set(version, content);
    return content;
  }

  #accessed(known: TextMetadata | undefined, content: string, file_mtime_ns: bigint): TextMetadata {
    const now = Date.now();
    const access = { last_accessed: now, container_id: this.#container };
    if (known !== undefined && known.file_mtime_ns === file_mtime_ns && now < known.expires_at) {
      return { ...known, ...access, access_count: known.access_count + 1 };
    }
    const size = Buffer.byteLength(content);
    return { ...access, size, file_mtime_ns, created_at: now, access_count: 1, expires_at: now + this.#ttlMs };
  }
}
