import { type Beat, type BeatPart, leaseMs } from '../beat.js';
import type { Channel, ChannelOptions } from '../channel/channel.js';
import { ClosedError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { checkHeldName, HeldNames, type Hold } from './held-names.js';
import { type Holding, type Orphan, ownerEventRules, ownersChannel, type OwnersPort } from './owners-port.js';

/** A process that is alive. */
export interface LiveOwner {
  /** `name#incarnation`: a process that was started again is another owner. */
  readonly id: string;
  /** For people, as the option `owner` of `openState` says. */
  readonly name: string;
  /** Milliseconds since 1970, by the store's clock, when it was first seen. */
  readonly startedAtMs: number;
  /** When it last said that it is alive; every 4 s while all is well. */
  readonly lastBeatAtMs: number;
  /** What it holds, by name. */
  readonly holds: readonly Holding[];
}

/** A process went, with what it held; or came. */
export type OwnerEvent =
  | { readonly type: 'gone'; readonly owner: string; readonly holds: readonly string[] }
  | { readonly type: 'came'; readonly owner: string };

type Subscription = Awaited<ReturnType<Channel<unknown>['subscribe']>>;

/** Whom to tell when events may be missing. */
export interface OwnersSubscribeOptions {
  /** Called when events may be missing, for example after the server lost its data: look at `list` and `orphans`. */
  readonly onResync?: () => void | Promise<void>;
}

/** What the owners need of the state they belong to. */
export interface OwnersHome {
  readonly beat: Beat;
  openChannel<Message>(name: string, options: ChannelOptions): Channel<Message>;
}

/**
 * Who is alive, what each process holds, and what the dead have left. The first call of any method makes this process one
 * of the owners: from then on it renews a lease of 12 s every 4 s, and goes with `state.close()`, or when its lease ends.
 *
 * Every method rejects with `Unavailable` when nothing happened, and with `OutcomeUnknown` when it may have; calling again
 * is always safe.
 */
export class Owners implements BeatPart {
  readonly #port: OwnersPort;
  readonly #context: FeatureContext;
  readonly #home: OwnersHome;
  readonly #id: string;
  readonly #held = new HeldNames((name) => this.#release(name));
  /** Released here, but the store may not know. */
  readonly #releasing = new Set<string>();
  readonly #taking = new Set<string>();
  #known: Promise<unknown> | undefined;
  #restoreDue = false;
  #closed = false;

  /** Use `state.owners`. */
  constructor(port: OwnersPort, context: FeatureContext, home: OwnersHome) {
    this.#port = port;
    this.#context = context;
    this.#home = home;
    this.#id = context.owner.id;
  }

  /** The processes that are alive, this one among them, by id. */
  async list(): Promise<LiveOwner[]> {
    await this.#begin();
    const owners = await this.#port.list();
    return owners.map(({ id, startedAtMs, leaseEndMs, holds }) => {
      return { id, name: id.slice(0, id.lastIndexOf('#')), startedAtMs, lastBeatAtMs: leaseEndMs - leaseMs, holds };
    });
  }

  /**
   * Says that this process holds `name`, such as `conversion:abc`: any text of up to 512 bytes, 5,000 names a process. What
   * it has not released when it goes, in whatever way, becomes an orphan. This excludes nobody: others may hold the same
   * name, which is an orphan only when the last of them has died.
   */
  async hold(name: string): Promise<Hold> {
    checkHeldName(name);
    const hold = this.#held.add(name);
    try {
      await this.#begin();
      this.#releasing.delete(name);
      if (await this.#port.hold(this.#id, name)) return hold;
      await this.#renew(false);
      await this.#port.hold(this.#id, name);
      return hold;
    } catch (error) {
      await hold.release().catch(() => undefined);
      throw error;
    }
  }

  /**
   * What dead processes held and nobody holds, by name. A process counts as dead when it has not been heard of for 12 s,
   * by the reckoning of one that could reach the store all that time. Forgotten seven days after the last death.
   */
  async orphans(): Promise<Orphan[]> {
    await this.#begin();
    return this.#port.orphans();
  }

  /** Takes an orphaned name over. Of all callers in all processes one gets it; undefined for the others. */
  async takeOver(name: string): Promise<Hold | undefined> {
    checkHeldName(name);
    if (this.#held.has(name) || this.#taking.has(name)) return undefined;
    this.#taking.add(name);
    try {
      await this.#begin();
      let taken = await this.#port.takeOver(this.#id, name);
      if (taken === 'unknown') {
        await this.#renew(false);
        taken = await this.#port.takeOver(this.#id, name);
      }
      // Held and not known here: a take-over whose answer was lost.
      const mine = taken === 'taken' || (taken === 'held' && !this.#held.has(name) && !this.#releasing.has(name));
      return mine ? this.#held.add(name) : undefined;
    } finally {
      this.#taking.delete(name);
    }
  }

  /** Calls `listener` for each process that comes or goes, each once, from now on. */
  async subscribe(
    listener: (event: OwnerEvent) => void | Promise<void>,
    options: OwnersSubscribeOptions = {},
  ): Promise<Subscription> {
    await this.#begin();
    const { name, prefix } = ownersChannel(this.#context.keys);
    const { keepMs, keepCount } = ownerEventRules;
    const channel = this.#home.openChannel<OwnerEvent>(name, { prefix, keep: keepMs, keepCount });
    return channel.subscribe((event) => listener(event), options);
  }

  /** Makes this process an owner without waiting for it. Called by what lives by the same beat. */
  attend(): void {
    if (!this.#closed) this.#home.beat.add(this);
  }

  /** Renews the lease of this process; called by the beat. */
  async beat(steady: boolean): Promise<number | undefined> {
    const nextEndMs = await this.#renew(steady);
    for (const name of this.#releasing) {
      if (!this.#held.has(name)) await this.#release(name);
    }
    return nextEndMs;
  }

  /** The names held are said again with the next beat; called by the beat. */
  lost(): void {
    this.#restoreDue = true;
  }

  /** Goes; what this process still holds becomes an orphan at once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#home.beat.remove(this);
    if (this.#known !== undefined) await this.#port.leave(this.#id).catch(() => undefined);
  }

  #begin(): Promise<unknown> {
    if (this.#closed) return Promise.reject(new ClosedError('This state'));
    this.#known ??= this.#renew(false).then(
      () => this.attend(),
      (error: unknown) => {
        this.#known = undefined;
        throw error;
      },
    );
    return this.#known;
  }

  async #renew(bury: boolean): Promise<number | undefined> {
    // A call that is under way while the state closes must not bring back an owner that has gone.
    if (this.#closed) throw new ClosedError('This state');
    const { kept, nextEndMs } = await this.#port.renew(this.#id, leaseMs, bury);
    this.#known ??= Promise.resolve();
    if (!kept) this.#restoreDue = true;
    const names = this.#held.names;
    if (this.#restoreDue && names.length > 0) {
      const lost = await this.#port.restore(this.#id, names);
      for (const name of lost ?? []) this.#held.lose(name);
      if (lost === undefined) return 0;
    }
    this.#restoreDue = false;
    return nextEndMs;
  }

  async #release(name: string): Promise<void> {
    if (this.#known === undefined || this.#closed) return;
    this.#releasing.add(name);
    await this.#port.release(this.#id, name);
    this.#releasing.delete(name);
  }
}
