import type { Backend, BackendStatus } from './backend/backend.js';
import { closePorts } from './backend/closed-ports.js';
import { Cache, type CacheOptions } from './cache/cache.js';
import { Channel, type ChannelOptions } from './channel/channel.js';
import { SubscriptionSet } from './channel/subscription-set.js';
import { Counter, type CounterOptions } from './counter/counter.js';
import { ClosedError } from './errors.js';
import type { FeatureContext } from './feature-context.js';
import { Queue } from './queue/queue.js';
import type { QueueOptions } from './queue/queue-options.js';
import { RateLimit } from './rate-limit/rate-limit.js';
import type { RateLimitRule } from './rate-limit/rule.js';
import { Sessions } from './session/session.js';
import type { SessionsOptions } from './session/session-options.js';

/** Shared state: every feature, over one store. Made by `openState`; closed with `close()` or `await using`. */
export class SharedState {
  readonly #backend: Backend;
  readonly #context: FeatureContext;
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #subscriptions: SubscriptionSet;
  #closed: Promise<void> | undefined;

  /** Use `openState`. */
  constructor(backend: Backend, context: FeatureContext) {
    this.#backend = backend;
    this.#context = context;
    this.#subscriptions = new SubscriptionSet(context.bus, context.clock);
    this.#closing.push(() => this.#subscriptions.close());
  }

  /** What all keys begin with. */
  get namespace(): string {
    return this.#context.keys.namespace;
  }

  /** `name#incarnation` of this process, which its leases and records carry. */
  get owner(): string {
    return this.#context.owner.id;
  }

  /** The node-redis client in use, for what this library does not do; undefined in memory. */
  get rawClient(): unknown {
    return this.#backend.rawClient;
  }

  /** Values by key, for a time. */
  cache<Value>(name: string, options: CacheOptions = {}): Cache<Value> {
    return new Cache<Value>(name, options, this.#open().cache, this.#context);
  }

  /** Messages to whoever listens, with history: who was away reads what was missed. */
  channel<Message>(name: string, options: ChannelOptions = {}): Channel<Message> {
    return new Channel<Message>(name, options, this.#open().channel, this.#context, this.#subscriptions);
  }

  /** A whole number that every process may add to. */
  counter(name: string, options: CounterOptions = {}): Counter {
    return new Counter(name, options, this.#open().counter);
  }

  /** A limit on how often each subject may do something, such as `'5 per hour'`. */
  rateLimit(name: string, rule: RateLimitRule): RateLimit {
    return new RateLimit(name, rule, this.#open().rateLimit);
  }

  /** Work that survives whoever does it. */
  queue<Data, Result = void>(name: string, options: QueueOptions = {}): Queue<Data, Result> {
    return new Queue<Data, Result>(name, options, this.#open().queue, this.#context, {
      onWorker: (worker) => void this.#closing.push(() => worker.close()),
      openChannel: (channel, place) => this.channel(channel, place),
    });
  }

  /** Logins by token, each with fields of its own; `Data` says which. */
  sessions<Data extends object = Record<string, unknown>>(name: string, options: SessionsOptions = {}): Sessions<Data> {
    return new Sessions<Data>(name, options, this.#open().session, this.#context);
  }

  /** Where state lives and whether it can be reached; answers at once. */
  status(): BackendStatus {
    return this.#backend.status();
  }

  /** Proves that the store takes writes; rejects with `Unavailable` or `OutcomeUnknown` within the deadline if not. */
  async probe(): Promise<void> {
    this.#open();
    await this.#backend.probe();
  }

  /**
   * Stops what this state runs, lets calls in flight end within their deadline, and disconnects. From then on every call
   * rejects with `Closed`. May be called twice.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#closing.map((stop) => stop()));
    closePorts(this.#backend.ports);
    this.#context.wakes.close();
    await this.#backend.close();
  }

  #open(): Backend['ports'] {
    if (this.#closed !== undefined) throw new ClosedError('This state');
    return this.#backend.ports;
  }
}
