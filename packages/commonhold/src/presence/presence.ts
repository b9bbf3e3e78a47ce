import type { Beat } from '../beat.js';
import type { Channel, ChannelOptions } from '../channel/channel.js';
import { InvalidArgumentError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { RegionMap } from './location.js';
import { metaText, type PresentMember, readMember } from './member-text.js';
import type { Membership } from './membership.js';
import {
  checkText,
  type JoiningMember,
  type PresenceOptions,
  resolvePlace,
  resolvePresence,
} from './presence-options.js';
import {
  eventRules,
  presenceChannel,
  type PresencePort,
  type PresenceSpace,
  type StoredMember,
  type StoredPresenceEvent,
} from './presence-port.js';
import { PresenceSeat } from './presence-seat.js';

type Subscription = Awaited<ReturnType<Channel<unknown>['subscribe']>>;

/** Somebody came, went, or moved to another region. A region hears of moves to it and away from it. */
export type PresenceEvent<Meta> =
  | { readonly type: 'joined' | 'left'; readonly member: PresentMember<Meta> }
  /** `from`: the region it was in, undefined when in none. */
  | { readonly type: 'moved'; readonly member: PresentMember<Meta>; readonly from: string | undefined };

/** A user, by its members. */
export interface PresentUser<Meta> {
  readonly online: boolean;
  readonly members: PresentMember<Meta>[];
}

/** Whose members to list. */
export interface PresenceMembersOptions {
  /** Also those of the regions around; asks for the option `regions` of the presence. */
  readonly neighbours?: boolean;
}

/** Whom to tell when events may be missing. */
export interface PresenceSubscribeOptions {
  /** Called when events may be missing, for example after a break of the link of over a minute: look at `members`. */
  readonly onResync?: () => void | Promise<void>;
}

/** What a presence needs of the state it belongs to. */
export interface PresenceHome {
  readonly beat: Beat;
  openChannel<Message>(name: string, options: ChannelOptions): Channel<Message>;
  /** Called once, when something begins that must be closed with the state. */
  readonly onUse: (close: () => Promise<void>) => void;
}

/**
 * Who is there, and where, over all processes. A member is present while it is active (joins, moves, sends heartbeats)
 * and the process it joined at is alive. The members of a process that dies are gone at once for those who read, which is
 * 12 s after its last sign of life, and each is told of as `left` once.
 *
 * Without the store members of this process go on, flagged `local`, and `Unavailable` says what this process cannot know;
 * with `away: 'throw'` it comes from every method when nothing happened, and `OutcomeUnknown` when it may have. Doing
 * something again is always safe.
 */
export class Presence<Meta = undefined> {
  readonly #space: PresenceSpace;
  readonly #regions: RegionMap | undefined;
  readonly #port: PresencePort;
  readonly #context: FeatureContext;
  readonly #home: PresenceHome;

  /** Use `state.presence(name, options)`. @throws InvalidArgumentError naming the option. */
  constructor(name: string, options: PresenceOptions, port: PresencePort, context: FeatureContext, home: PresenceHome) {
    this.#space = resolvePresence(name, options);
    this.#regions = options.regions;
    this.#port = port;
    this.#context = context;
    this.#home = home;
  }

  /**
   * Adds a member, which takes its id from whoever has it. Joins, moves and leaves of one turn of the event loop travel
   * together. Rejects with `ValueTooLarge` when `meta` takes more than 4 KiB.
   */
  async join(member: JoiningMember<Meta>): Promise<Membership> {
    const { id, user, meta, region, location } = member;
    if (location !== undefined && region === undefined && this.#regions === undefined) {
      const expected = 'the option regions of the presence, or a region beside it';
      throw new InvalidArgumentError('presence location', expected, location);
    }
    const details = {
      user: user === undefined ? '' : checkText('presence user', user),
      ...resolvePlace(member, this.#regions),
      meta: metaText(this.#context.codec, meta),
      agent: this.#space.prefix === undefined ? '' : agentOf(meta),
    };
    checkText('presence id', id);
    return this.#seat().join(id, details, this.#regions);
  }

  /** The member `id`, or undefined when it is not present. Without the store rejects unless it is of this process. */
  async get(id: string): Promise<PresentMember<Meta> | undefined> {
    const stored = await this.#port.get(this.#space, checkText('presence id', id));
    return stored && this.#read(stored);
  }

  /**
   * Who is in `region`, by id; with `neighbours` then those of each region around it. One round trip. Without the store those
   * of this process, each `local`; rejects where it has none there.
   */
  async members(region: string, options: PresenceMembersOptions = {}): Promise<PresentMember<Meta>[]> {
    checkText('presence region', region);
    const regions = new Set(options.neighbours === true ? [region, ...this.#neighboursOf(region)] : [region]);
    const members = await this.#port.members(this.#space, [...regions]);
    return Promise.all(members.map((stored) => this.#read(stored)));
  }

  /**
   * How many are in `region`, without looking at each. Without the store how many of this process, which a number cannot
   * say: `state.status()` does. Rejects where it has none there.
   */
  async count(region: string): Promise<number> {
    return this.#port.count(this.#space, checkText('presence region', region));
  }

  /** Whether `user` is online, and its members. Without the store those of this process; rejects where it has none. */
  async user(user: string): Promise<PresentUser<Meta>> {
    const stored = await this.#port.user(this.#space, checkText('presence user', user));
    const members = await Promise.all(stored.map((member) => this.#read(member)));
    return { online: members.length > 0, members };
  }

  /**
   * Calls `listener` for each event of `region`, or of all where it is undefined, in order and each once, from now on. A
   * region's events do not bring those of the others.
   */
  async subscribe(
    region: string | undefined,
    listener: (event: PresenceEvent<Meta>) => void | Promise<void>,
    options: PresenceSubscribeOptions = {},
  ): Promise<Subscription> {
    if (region !== undefined) checkText('presence region', region);
    const { name, prefix } = presenceChannel(this.#context.keys, this.#space, region);
    const { keepMs, keepCount } = eventRules;
    const channel = this.#home.openChannel<StoredPresenceEvent>(name, { prefix, keep: keepMs, keepCount });
    const subscription = await channel.subscribe(async (event) => listener(await this.#event(event)), options);
    const stop = this.#seat().listen();
    return {
      get lastId() {
        return subscription.lastId;
      },
      close: () => {
        subscription.close();
        stop();
      },
    };
  }

  // Who only reads has none.
  #seat(): PresenceSeat {
    const { beat, onUse } = this.#home;
    return PresenceSeat.of({ space: this.#space, port: this.#port, context: this.#context, beat, onUse });
  }

  #read(stored: StoredMember): Promise<PresentMember<Meta>> {
    return readMember<Meta>(this.#context.codec, stored);
  }

  async #event({ type, member, from }: StoredPresenceEvent): Promise<PresenceEvent<Meta>> {
    const read = await this.#read(member);
    return type === 'moved' ? { type, member: read, from: from === '' ? undefined : from } : { type, member: read };
  }

  #neighboursOf(region: string): readonly string[] {
    if (this.#regions === undefined) {
      throw new InvalidArgumentError('presence neighbours', 'the option regions of the presence', undefined);
    }
    return this.#regions.neighboursOf(region);
  }
}

// For the documented session record, which names it.
function agentOf(meta: unknown): string {
  const agent = typeof meta === 'object' && meta !== null && 'userAgent' in meta ? meta.userAgent : undefined;
  return typeof agent === 'string'
    ? agent
        .slice(0, 512)
        .toWellFormed()
        .replace(/\p{Cc}/gu, ' ')
    : '';
}
