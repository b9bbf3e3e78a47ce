import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';
import { jittered, type Random } from '../random.js';
import type { Bus, Unsubscribe } from './bus.js';

/** A lost message costs a waiter no more than this (K5). */
const backstopMs = 1_000;

/** One who waits for a topic. Begin listening before looking, so that nothing falls between the look and the wait. */
export interface Waiter {
  /**
   * Resolves when the topic was woken since the last wait, `signal` aborts, the state closes, or `atMostMs` (never more
   * than about a second) has passed: the caller looks again in every case.
   */
  wait(atMostMs?: number, signal?: AbortSignal): Promise<void>;
  /** Ends the present wait, or the next. */
  wake(): void;
  close(): void;
}

/**
 * Waiting without polling (K5). One channel per process carries the topics that its waiters wait for; the script that
 * frees or adds something publishes to the owner it picked. A jittered timer covers a lost message.
 */
export class Wakes {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waiters = new Map<string, Set<TopicWaiter>>();
  readonly #undo: Unsubscribe[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Starts hearing this process's `channel`; after a break of the link every waiter looks again. */
  async start(bus: Bus, channel: string): Promise<void> {
    this.#undo.push(bus.onRestored(() => this.#wakeAll()));
    this.#undo.push(await bus.subscribe(channel, (topic) => this.wake(topic.toString())));
  }

  listen(topic: string): Waiter {
    const waiter = new TopicWaiter(this.#clock, this.#random, () => this.#remove(topic, waiter));
    const waiters = this.#waiters.get(topic);
    if (waiters) waiters.add(waiter);
    else this.#waiters.set(topic, new Set([waiter]));
    return waiter;
  }

  /** Wakes the waiters of `topic` in this process. */
  wake(topic: string): void {
    for (const waiter of this.#waiters.get(topic) ?? []) waiter.wake();
  }

  /** Stops hearing and lets every waiter go. */
  close(): void {
    for (const undo of this.#undo.splice(0)) undo();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const topic of this.#waiters.keys()) this.wake(topic);
  }

  #remove(topic: string, waiter: TopicWaiter): void {
    const waiters = this.#waiters.get(topic);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(topic);
  }
}

class TopicWaiter implements Waiter {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onClose: () => void;
  #woken = false;
  #finish: (() => void) | undefined;

  constructor(clock: Clock, random: Random, onClose: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#onClose = onClose;
  }

  wake(): void {
    this.#woken = true;
    this.#finish?.();
  }

  async wait(atMostMs: number = backstopMs, signal?: AbortSignal): Promise<void> {
    if (!this.#woken && !signal?.aborted) await this.#pause(atMostMs, signal);
    this.#woken = false;
  }

  close(): void {
    this.#onClose();
    this.wake();
  }

  #pause(atMostMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        stop();
        this.#finish = undefined;
        resolve();
      };
      const longestMs = Math.min(atMostMs, jittered(this.#random, backstopMs));
      // Somebody awaits this: in memory no connection keeps the process for it, as it does on Redis.
      const timer = this.#clock.setTimer(finish, longestMs, { keepAlive: true });
      const stop = onAbort(signal, finish);
      this.#finish = finish;
    });
  }
}
