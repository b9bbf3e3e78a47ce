import { allBatches } from '../all-batches.js';
import type { AwayChoices } from '../away.js';
import { wholeNumber } from '../codec/limits.js';
import { type Duration, durationMsOrForever } from '../duration.js';
import { encodePart, type Keys } from '../keys.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { checkPageCursor } from '../page-cursor.js';
import { type IterateOptions, itemsOf } from '../pages.js';
import { checkMember, memberBatches } from './member-batches.js';
import type { SetAddress, UniqueSetPort } from './unique-set-port.js';

/** Every process that uses one set must give it the same options. */
export interface UniqueSetOptions {
  /**
   * How long the set lives as a whole, from the add that finds it absent; later adds do not prolong it. Default: without
   * end.
   */
  readonly ttl?: Duration;
  /**
   * A key name that other programs rely on, verbatim: the set is `<prefix>:<name>`, a Redis SET of UTF-8 text. Default:
   * the library's own name.
   */
  readonly prefix?: string;
  /**
   * Without the store: `buffer` gathers members here, unites them with those there when it is back, and answers with what
   * this process knows; `throw` rejects with `Unavailable`. Default `buffer`. What takes members away always rejects.
   */
  readonly away?: AwayChoices['uniqueSet'];
}

/** Which part of the members to read. */
export interface MembersOptions {
  /** Where the page before ended. Default: the beginning. */
  readonly cursor?: string;
  /** About how many members to read: 1 to 1,000, by default 100. */
  readonly limit?: number;
}

/** A part of the members, in no particular order. */
export interface MembersPage {
  readonly members: readonly string[];
  /** For the next page; undefined after the last. */
  readonly cursor: string | undefined;
}

const optionNames = { ttl: true, prefix: true, away: true } satisfies OptionNames<UniqueSetOptions>;
const membersNames = { cursor: true, limit: true } satisfies OptionNames<MembersOptions>;
const defaultLimit = 100;
const mostLimit = 1_000;

/**
 * Texts, each held once however often it is added, by all processes together. A member is any well-formed text of at most
 * 64 KiB, also the empty one.
 *
 * A batch of up to 5,000 members and 1 MiB is one atomic step; a larger one is several, sent together. Every method
 * rejects with `Unavailable` when the store certainly did nothing, what changes the set also with `OutcomeUnknown` when
 * it may have done it, and all with `CorruptState` when another program's value is in the way. Doing it again is always
 * safe; only the number then returned may be less.
 */
export class UniqueSet {
  readonly #where: string;
  readonly #address: SetAddress;
  readonly #port: UniqueSetPort;
  readonly #ttlMs: number | undefined;

  /**
   * Use `state.uniqueSet(name, options)`.
   * @throws InvalidArgumentError for an empty name, a bad duration or prefix, or an unknown option.
   */
  constructor(name: string, options: UniqueSetOptions, port: UniqueSetPort, keys: Keys) {
    checkOptionNames('unique set', options, optionNames);
    encodePart(name);
    if (options.prefix !== undefined) keys.documented(options.prefix);
    this.#where = `unique set ${name}`;
    this.#address = { name, prefix: options.prefix };
    this.#port = port;
    this.#ttlMs = durationMsOrForever(options.ttl, 'unique set ttl');
  }

  /** Adds one member or many; returns how many were new. */
  add(members: string | Iterable<string>): Promise<number> {
    return this.#sum('unique-set.add', members, (batch) => this.#port.add(this.#address, batch, this.#ttlMs));
  }

  /** Whether `member` is in the set. */
  async has(member: string): Promise<boolean> {
    return this.#port.has(this.#address, checkMember(this.#where, member));
  }

  /** For each of `members`, in their order, whether it is in the set. */
  async hasMany(members: Iterable<string>): Promise<boolean[]> {
    const batches = memberBatches(this.#where, members);
    const found = await Promise.all(batches.map((batch) => this.#port.hasMany(this.#address, batch)));
    return found.flat();
  }

  /** How many members there are; 0 when nothing was added, or the set's `ttl` has passed. */
  count(): Promise<number> {
    return this.#port.count(this.#address);
  }

  /**
   * A page of the members, in no order; go on with its `cursor` until that is undefined. A member that stays in the set
   * from the first page to the last is among them; one that is added or deleted meanwhile may be. While the set changes a
   * member may come twice. A page may be shorter or longer than `limit`, or empty.
   */
  async page(options: MembersOptions = {}): Promise<MembersPage> {
    checkOptionNames(`${this.#where}, page`, options, membersNames);
    const limit = wholeNumber(`${this.#where}, limit`, options.limit, defaultLimit, 1, mostLimit);
    const page = await this.#port.members(this.#address, checkPageCursor(this.#where, options.cursor), limit);
    return { members: page.members, cursor: page.cursor === '0' ? undefined : page.cursor };
  }

  /** All members, page by page: `for await (const member of set)`. Which come is said of {@link page}. */
  members(options: IterateOptions = {}): AsyncGenerator<string, void, undefined> {
    return itemsOf(`${this.#where}, members`, options, async (cursor, limit) => {
      const { members, cursor: next } = await this.page({ limit, ...(cursor === undefined ? {} : { cursor }) });
      return { items: members, cursor: next };
    });
  }

  [Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    return this.members();
  }

  /** Removes one member or many; returns how many were there. A set without members is over, and so is its `ttl`. */
  delete(members: string | Iterable<string>): Promise<number> {
    return this.#sum('unique-set.delete', members, (batch) => this.#port.delete(this.#address, batch));
  }

  /** Removes all members in one step; returns how many there were. */
  clear(): Promise<number> {
    return this.#port.clear(this.#address);
  }

  async #sum(
    operation: string,
    members: string | Iterable<string>,
    step: (batch: string[]) => Promise<number>,
  ): Promise<number> {
    const counts = await allBatches(operation, memberBatches(this.#where, members).map(step));
    return counts.reduce((sum, count) => sum + count, 0);
  }
}
