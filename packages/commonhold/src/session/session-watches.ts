import type { Unsubscribe } from '../backend/bus.js';
import type { Timer } from '../clock.js';
import type { FeatureContext } from '../feature-context.js';
import { jittered } from '../random.js';
import type { ServerClock } from '../server-clock.js';
import { parseSessionNews, sessionChannel } from './session-news.js';
import type { SessionAddress, SessionEnd, SessionPort, SessionSpace } from './session-port.js';

/** Why a watched session ended: what `read` would say of it. */
export type WatchedEnd = Exclude<SessionEnd, 'corrupt'>;

/** One who holds a session open. */
export class SessionWatcher {
  /** Why the session ended, where it did. */
  end: WatchedEnd | undefined;
  /** Called once, when it ends. */
  onEnd: (reason: WatchedEnd) => void | Promise<void> = () => undefined;
  /** What is watched; undefined once it has ended or nobody wants to know. */
  watched: Watched | undefined;
  /** Called once, when `watched` becomes undefined. */
  onGone: () => void = () => undefined;

  leave(): void {
    this.watched = undefined;
    this.onGone();
  }
}

/** What watching needs of the sessions, and of the state around them. */
export interface WatchPlace {
  readonly serverClock: ServerClock;
  /** Called at the first use, with what ends it. */
  readonly onUse: (close: () => Promise<void>) => void;
}

interface Watched {
  readonly watchers: Set<SessionWatcher>;
  address: SessionAddress;
  /** When to look at it next, monotonic; Infinity while it is being looked at. */
  dueAtMs: number;
}

/** A message may be lost without a sign of it, between two nodes of a cluster say: so long at most nobody notices. */
const longestUnseenMs = 60_000;
/** Between two looks, so that sessions which end one after the other are looked at together. */
const shortestWaitMs = 250;
const retryMs = 5_000;
/** Looked at in one round trip. */
const looksAtOnce = 500;

/**
 * The sessions that this process holds open, for sockets say. Their ends are heard as they are published; each is also
 * looked at when it should expire, every minute, and when the link is back after a break, because what was published
 * meanwhile was missed. While the store is away nothing is known, and they stay.
 */
export class SessionWatches {
  readonly #space: SessionSpace;
  readonly #port: SessionPort;
  readonly #context: FeatureContext;
  readonly #place: WatchPlace;
  readonly #watched = new Map<string, Watched>();
  #hearing: Promise<Unsubscribe> | undefined;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  #looking = false;
  #used = false;

  constructor(space: SessionSpace, port: SessionPort, context: FeatureContext, place: WatchPlace) {
    this.#space = space;
    this.#port = port;
    this.#context = context;
    this.#place = place;
  }

  /**
   * Begins to watch, until `signal` aborts: what ends from the moment this resolves is heard, so read the session after
   * that.
   */
  async begin(address: SessionAddress, signal: AbortSignal | undefined): Promise<SessionWatcher> {
    if (!this.#used) this.#place.onUse(async () => this.close());
    this.#used = true;
    const watcher = new SessionWatcher();
    const forget = (): void => this.forget(watcher);
    signal?.addEventListener('abort', forget);
    watcher.onGone = () => signal?.removeEventListener('abort', forget);
    const watched = this.#watched.get(address.id) ?? { watchers: new Set(), address, dueAtMs: Infinity };
    this.#watched.set(address.id, watched);
    watched.watchers.add(watcher);
    watcher.watched = watched;
    this.#hearing ??= this.#hear();
    try {
      await this.#hearing;
    } catch (error) {
      this.forget(watcher);
      throw error;
    }
    return watcher;
  }

  /** What `watcher` watches was read: under which id it goes by now, and when it ends unless it is used. */
  seen(watcher: SessionWatcher, id: string, expiresAtMs: number): void {
    if (watcher.watched !== undefined) this.#renew(watcher.watched.address.id, id);
    if (watcher.watched !== undefined) this.#plan(watcher.watched, this.#untilLook(expiresAtMs));
  }

  /**
   * The session, or all of a bucket, may have ended by a call of this process: looked at now, since nothing is published
   * while the store is away. Who heard of it by then is no longer here.
   */
  lookNow(where: SessionAddress | string): void {
    const bucket = typeof where === 'string' ? where : undefined;
    const found = typeof where === 'string' ? [...this.#watched.values()] : [this.#watched.get(where.id)];
    for (const watched of found) {
      if (watched !== undefined && (bucket === undefined || watched.address.bucket === bucket))
        void this.#lookAt(watched);
    }
  }

  /** Stops watching, without a word. May be called twice. */
  forget(watcher: SessionWatcher): void {
    const { watched } = watcher;
    if (watched === undefined) return;
    watcher.leave();
    watched.watchers.delete(watcher);
    if (watched.watchers.size === 0) this.#watched.delete(watched.address.id);
    this.#restIfIdle();
  }

  /** Stops all watching, without a word. */
  close(): void {
    for (const { watchers } of this.#watched.values()) for (const watcher of watchers) watcher.leave();
    this.#watched.clear();
    this.#restIfIdle();
  }

  async #hear(): Promise<Unsubscribe> {
    const { bus, keys } = this.#context;
    const unwatch = bus.onRestored(() => this.#lookAtAll());
    const channel = sessionChannel(keys, this.#space);
    const unsubscribe = await bus.subscribe(channel, (published) => this.#heard(published.toString()));
    return () => {
      unwatch();
      unsubscribe();
    };
  }

  #heard(published: string): void {
    const { kind, ids } = parseSessionNews(published) ?? { kind: 'revoked', ids: [] };
    const [id = '', newId = ''] = ids;
    if (kind === 'renewed') this.#renew(id, newId);
    else for (const ended of ids) this.#end(ended, kind);
  }

  #renew(id: string, newId: string): void {
    const watched = this.#watched.get(id);
    if (watched === undefined || id === newId) return;
    this.#watched.delete(id);
    watched.address = { bucket: watched.address.bucket, id: newId };
    const known = this.#watched.get(newId);
    if (known === undefined) return void this.#watched.set(newId, watched);
    for (const watcher of watched.watchers) {
      watcher.watched = known;
      known.watchers.add(watcher);
    }
  }

  #end(id: string, reason: WatchedEnd): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#watched.delete(id);
    for (const watcher of watched.watchers) {
      watcher.leave();
      watcher.end = reason;
      void this.#tell(watcher, reason);
    }
    this.#restIfIdle();
  }

  async #tell(watcher: SessionWatcher, reason: WatchedEnd): Promise<void> {
    try {
      await watcher.onEnd(reason);
    } catch (error) {
      const fields = { sessions: this.#space.name, error: String(error) };
      this.#context.log.error(fields, 'a listener of the end of a session failed');
    }
  }

  #restIfIdle(): void {
    if (this.#watched.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    const hearing = this.#hearing;
    this.#hearing = undefined;
    void hearing?.then(
      (end) => end(),
      () => undefined,
    );
  }

  #untilLook(expiresAtMs: number): number {
    const leftMs = expiresAtMs + 1 - this.#place.serverClock.now();
    return Math.min(leftMs, jittered(this.#context.random, longestUnseenMs));
  }

  #plan(watched: Watched, inMs: number): void {
    if (this.#watched.get(watched.address.id) !== watched) return;
    watched.dueAtMs = Math.min(watched.dueAtMs, this.#context.clock.monotonic() + inMs);
    this.#arm(watched.dueAtMs);
  }

  #arm(atMs: number): void {
    if (atMs >= this.#timerAtMs || this.#looking) return;
    const { clock } = this.#context;
    this.#timer?.cancel();
    const waitMs = Math.max(shortestWaitMs, atMs - clock.monotonic());
    this.#timerAtMs = clock.monotonic() + waitMs;
    this.#timer = clock.setTimer(() => void this.#look(), waitMs);
  }

  #lookAtAll(): void {
    for (const watched of this.#watched.values()) this.#plan(watched, 0);
  }

  async #look(): Promise<void> {
    this.#timerAtMs = Infinity;
    this.#looking = true;
    for (let due = this.#due(); due.length > 0; due = this.#due()) {
      await Promise.all(due.map((watched) => this.#lookAt(watched)));
    }
    this.#looking = false;
    let earliestMs = Infinity;
    for (const { dueAtMs } of this.#watched.values()) earliestMs = Math.min(earliestMs, dueAtMs);
    if (earliestMs < Infinity) this.#arm(earliestMs);
  }

  #due(): Watched[] {
    const now = this.#context.clock.monotonic();
    return [...this.#watched.values()].filter(({ dueAtMs }) => dueAtMs <= now).slice(0, looksAtOnce);
  }

  async #lookAt(watched: Watched): Promise<void> {
    const { address } = watched;
    watched.dueAtMs = Infinity;
    try {
      const found = await this.#port.look(this.#space, address);
      // What was heard meanwhile is newer than the answer.
      if (watched.address !== address) return this.#plan(watched, 0);
      if (typeof found === 'string') return this.#end(address.id, found === 'corrupt' ? 'absent' : found);
      this.#renew(address.id, found.id);
      this.#plan(watched, this.#untilLook(found.expiresAtMs));
    } catch {
      // That the store is away is said elsewhere, once for all.
      this.#plan(watched, retryMs);
    }
  }
}
