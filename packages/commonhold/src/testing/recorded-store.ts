import type { Ports } from '../backend/backend.js';
import { createMemoryBackend } from '../backend/memory/memory-backend.js';
import { MemoryStore, type MemoryStoreOptions } from '../backend/memory/memory-store.js';
import type { Clock } from '../clock.js';
import type { Keys } from '../keys.js';
import { type PortCall, runCall } from './port-calls.js';

interface Entry {
  readonly call: PortCall;
  readonly keys: Keys;
  /** When it ran, by the store's clock. */
  readonly atMs: number;
}

/** What changes the ports of a store, each time they are made: for planting bugs. */
export type Planting = (ports: Ports, store: MemoryStore) => void;

/**
 * A memory store that can lose its last writes. It notes each call, as an append-only file does, and begins anew from
 * what is left of those.
 */
export class RecordedStore {
  readonly #clock: Clock;
  readonly #options: MemoryStoreOptions;
  readonly #plant: Planting;
  readonly #ports = new Map<string, Ports>();
  #log: Entry[] = [];
  #store: MemoryStore;
  /** The time that is shown while calls are repeated. */
  #repeatedAtMs: number | undefined;

  constructor(options: MemoryStoreOptions & { readonly clock: Clock }, plant: Planting = () => undefined) {
    const { clock } = options;
    this.#clock = {
      ...clock,
      monotonic: () => clock.monotonic(),
      setTimer: (...args) => clock.setTimer(...args),
      now: () => this.#repeatedAtMs ?? clock.now(),
    };
    this.#options = options;
    this.#plant = plant;
    this.#store = this.#newStore();
  }

  get store(): MemoryStore {
    return this.#store;
  }

  /** How many calls it has done, without those that it lost. */
  get calls(): number {
    return this.#log.length;
  }

  run(call: PortCall, keys: Keys): Promise<unknown> {
    // A read may write on its way: a guarded one raises the fence, one that finds an end notes it.
    this.#log.push({ call, keys, atMs: this.#clock.now() });
    return runCall(this.#portsFor(keys), call);
  }

  /**
   * Loses the last `writes`, by default all, and what came after the first of them. Who subscribed to the store before does
   * not hear the new one. Returns the calls that are lost.
   */
  lose(writes: number = Infinity): readonly PortCall[] {
    this.#store.close();
    this.#ports.clear();
    this.#store = this.#newStore();
    const lost = this.#log.splice(this.#indexOfLast(writes));
    for (const { call, keys, atMs } of this.#log) {
      this.#repeatedAtMs = atMs;
      // It failed the first time as well, or it does not matter.
      runCall(this.#portsFor(keys), call).catch(() => undefined);
    }
    this.#repeatedAtMs = undefined;
    return lost.map(({ call }) => call);
  }

  close(): void {
    this.#store.close();
  }

  #indexOfLast(writes: number): number {
    let index = this.#log.length;
    for (let left = writes; left > 0 && index > 0; index--) {
      if (this.#log[index - 1]?.call.operation.kind !== 'read') left--;
    }
    return index;
  }

  #newStore(): MemoryStore {
    return new MemoryStore({ ...this.#options, clock: this.#clock });
  }

  #portsFor(keys: Keys): Ports {
    let ports = this.#ports.get(keys.namespace);
    if (ports === undefined) {
      ports = createMemoryBackend(this.#store, keys, false).ports;
      this.#plant(ports, this.#store);
      this.#ports.set(keys.namespace, ports);
    }
    return ports;
  }
}
