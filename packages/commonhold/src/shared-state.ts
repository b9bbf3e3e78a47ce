import type { Backend, BackendStatus } from './backend/backend.js';
import { Cache, type CacheOptions } from './cache/cache.js';
import { ClosedError } from './errors.js';
import type { FeatureContext } from './feature-context.js';

/** Shared state: every feature, over one store. Made by `openState`; closed with `close()` or `await using`. */
export class SharedState {
  readonly #backend: Backend;
  readonly #context: FeatureContext;
  readonly #closing: (() => Promise<void>)[] = [];
  #closed: Promise<void> | undefined;

  /** Use `openState`. */
  constructor(backend: Backend, context: FeatureContext) {
    this.#backend = backend;
    this.#context = context;
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

  /** Where state lives and whether it can be reached; answers at once. */
  status(): BackendStatus {
    return this.#backend.status();
  }

  /** Proves that the store takes writes; rejects with `Unavailable` or `OutcomeUnknown` within the deadline if not. */
  probe(): Promise<void> {
    return this.#backend.probe();
  }

  /** Stops what this state runs, lets calls in flight end within their deadline, and disconnects. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#closing.map((stop) => stop()));
    this.#context.wakes.close();
    await this.#backend.close();
  }

  #open(): Backend['ports'] {
    if (this.#closed !== undefined) throw new ClosedError('This state');
    return this.#backend.ports;
  }
}
