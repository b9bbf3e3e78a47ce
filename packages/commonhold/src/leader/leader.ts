import { LeaseLostError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { Guard } from '../guard.js';
import { joinSignals } from '../joined-signal.js';
import type { HeldLock, Lock } from '../lock/lock.js';
import { Candidacy } from './candidacy.js';

/** What a leader is given. */
export interface Leadership {
  /**
   * Aborts when leadership ends: with `LeaseLost` when it was lost or can no longer be relied on, before another leads; with
   * `Closed` when the candidacy or the state closes.
   */
  readonly signal: AbortSignal;
  /** For what the leader writes: a later leader's token is larger. */
  readonly guard: Guard;
}

/** The leader as others see it. */
export interface CurrentLeader {
  /** `name#incarnation` of its process. */
  readonly owner: string;
  readonly token: string;
  /** Milliseconds until it counts as gone, unless it is heard of again. */
  readonly expiresInMs: number;
}

/** What a leader needs of the state it belongs to. */
export interface LeaderHome {
  readonly lock: Lock;
  /** @throws ClosedError once the state is closed. */
  open(): void;
  /** Hears how to resign when the state closes, which then waits for what holds locks. */
  onUse(resign: () => void): void;
}

/**
 * One leader over all processes that stand for election: the holder of the lock `leader:<name>`. Candidates lead in the
 * order they came, the next within a second after the leader resigned, or as soon as its lease is over when it died or hangs.
 *
 * Without the store nobody is elected, and the leader is told by its signal before its lease ends.
 */
export class Leader {
  readonly #name: string;
  readonly #context: FeatureContext;
  readonly #home: LeaderHome;
  #leading: HeldLock | undefined;
  /** What ends with the state; undefined until there was something. */
  #candidacies: Set<Candidacy> | undefined;

  /** Use `state.leader(name, options)`. */
  constructor(name: string, context: FeatureContext, home: LeaderHome) {
    this.#name = name;
    this.#context = context;
    this.#home = home;
  }

  /**
   * Stands for election until the returned candidacy or the state is closed. `work` begins when this process is elected; it
   * leads until `signal` aborts, also when `work` has returned before: then it has set up what it does. When `work` throws,
   * that is logged and leadership given up. After every end it stands again, once `work` has ended.
   * @throws ClosedError once the state is closed.
   */
  lead(work: (leadership: Leadership) => unknown): Candidacy {
    this.#home.open();
    if (this.#candidacies === undefined) this.#home.onUse(() => this.#resign());
    this.#candidacies ??= new Set();
    const onClosed = (): void => void this.#candidacies?.delete(candidacy);
    const campaign = (signal: AbortSignal): Promise<void> => this.#campaign(work, signal);
    const candidacy = new Candidacy({ leader: this.#name, context: this.#context, campaign, onClosed });
    this.#candidacies.add(candidacy);
    return candidacy;
  }

  /** Whether a candidacy of this object leads now, as far as can be known here: see `signal`. */
  get isLeader(): boolean {
    return this.#leading?.reliable ?? false;
  }

  /** Who leads, whichever process that is; undefined while nobody does. */
  async current(): Promise<CurrentLeader | undefined> {
    const status = await this.#home.lock.status();
    if (!status.held) return undefined;
    const { owner, token, expiresInMs } = status;
    return { owner, token, expiresInMs };
  }

  #resign(): void {
    for (const candidacy of this.#candidacies ?? []) candidacy.resign();
  }

  /** Waits to be elected, and leads once. */
  async #campaign(work: (leadership: Leadership) => unknown, closing: AbortSignal): Promise<void> {
    await using held = await this.#home.lock.acquire({ signal: closing });
    if (held === undefined || closing.aborted) return;
    this.#leading = held;
    using joined = joinSignals(held.signal, closing);
    const { signal } = joined;
    try {
      await work({ signal, guard: held.guard });
      await aborted(signal);
    } finally {
      // Work that goes on after it was told to stop may end when another candidacy of this object leads.
      if (this.#leading === held) this.#leading = undefined;
    }
    if (held.signal.reason instanceof LeaseLostError) throw held.signal.reason;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
