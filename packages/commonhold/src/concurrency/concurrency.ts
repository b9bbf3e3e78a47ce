import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { encodePart } from '../keys.js';
import { leaseDurationMs } from '../lease-keeper.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import type { Tenure } from '../tenure.js';
import type { Turn } from '../turns.js';
import { type ConcurrencyCount, type ConcurrencyPort, type SlotGrant, slotTopic } from './concurrency-port.js';
import { HeldSlot, type Slot } from './slot.js';

/** Options of `state.concurrency`. */
export interface ConcurrencyOptions {
  /**
   * How long a holder that is not heard of keeps its slot. Default 10 s, at least 1 s. It is renewed every third of that while
   * it is held, so work may take as long as it likes.
   */
  readonly lease?: Duration;
}

/** What one who asks for a slot may say. Without `wait` it does not wait, and there is nothing that `signal` could end. */
export type SlotOptions = {
  /** How many may be held at once, for this call, such as by the caller's plan. Default: that of the limiter. */
  readonly limit?: number;
} & (
  | {
      /** At most this long, and one call to the store more. */
      readonly wait: Duration;
      /** Ends the waiting; the call then rejects with its reason. A slot that is held is not touched. */
      readonly signal?: AbortSignal;
    }
  | { readonly wait?: never; readonly signal?: never }
);

const optionNames = { lease: true } satisfies OptionNames<ConcurrencyOptions>;
const slotOptionNames = { limit: true, wait: true, signal: true } satisfies OptionNames<SlotOptions>;
const largestConcurrency = 1_000_000;

/**
 * A limit on how much each subject (a user, an address) may do at once, over all processes together: as many slots as the
 * limit says, each held until it is released. The slots of a process that died or hangs return when their leases end. Those
 * who wait are given slots in the order they came, woken and not polling.
 *
 * Without the store nobody gets a slot: asking, and waiting, rejects with `Unavailable` at once or within the deadline of a
 * call, and holders are told by their signal before their lease ends.
 */
export class Concurrency {
  readonly #name: string;
  readonly #limit: number;
  readonly #leaseMs: number;
  readonly #port: ConcurrencyPort;
  readonly #context: FeatureContext;
  readonly #tenure: Tenure;

  /** Use `state.concurrency(name, limit, options)`. @throws InvalidArgumentError naming the option. */
  constructor(
    name: string,
    limit: number,
    options: ConcurrencyOptions,
    port: ConcurrencyPort,
    context: FeatureContext,
    tenure: Tenure,
  ) {
    encodePart(name);
    checkOptionNames(`concurrency ${name}`, options, optionNames);
    this.#name = name;
    this.#limit = checkLimit(limit, `concurrency ${name}, limit`);
    this.#leaseMs = leaseDurationMs(options.lease ?? '10s', `concurrency ${name}, lease`);
    this.#port = port;
    this.#context = context;
    this.#tenure = tenure;
  }

  /**
   * A slot of `subject`, any non-empty text, or undefined when none was free, or came free within `wait`. Release it, or
   * declare it with `await using`.
   */
  async acquire(subject: string, options: SlotOptions = {}): Promise<Slot | undefined> {
    const where = `concurrency ${this.#name}, acquire`;
    checkOptionNames(where, options, slotOptionNames);
    const limit = options.limit === undefined ? this.#limit : checkLimit(options.limit, `${where}, limit`);
    const waitMs = options.wait === undefined ? 0 : durationMs(options.wait, `${where}, wait`);
    return this.#acquire(subject, limit, waitMs, options.signal);
  }

  /** How many slots of `subject` are held, and how many wait for one. */
  async count(subject: string): Promise<ConcurrencyCount> {
    return this.#port.count(this.#name, subject);
  }

  #acquire(subject: string, limit: number, waitMs: number, signal?: AbortSignal): Promise<Slot | undefined> {
    const limiter = this.#name;
    const [port, leaseMs] = [this.#port, this.#leaseMs];
    const member = this.#tenure.newMember();
    const { leases, turns } = this.#tenure;
    const { log } = this.#context;
    let hasNothing = false;
    const turn: Turn<SlotGrant, Slot> = {
      operation: 'concurrency.acquire',
      topic: slotTopic(limiter, subject, member.id),
      leaseMs,
      look: async (standMs) => {
        const answer = await port.acquire(limiter, subject, member, limit, leaseMs, standMs);
        hasNothing = answer.state === 'wait' && standMs === 0;
        return answer;
      },
      begin: (_, sentAtMs) => new HeldSlot({ limiter, subject, member, leaseMs, sentAtMs, port, leases, log }),
      leave: async () => !hasNothing && port.release(limiter, subject, member),
    };
    return turns.take(turn, { waitMs, signal });
  }
}

function checkLimit(limit: number, where: string): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= largestConcurrency) return limit;
  throw new InvalidArgumentError(where, `a whole number from 1 to ${largestConcurrency}`, limit);
}
