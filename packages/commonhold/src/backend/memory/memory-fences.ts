import { StaleGuardError } from '../../errors.js';
import { fenceKey, type Guard, keepFenceMs, renewFenceMs } from '../../guard.js';
import type { NamedOperation } from '../../operation.js';
import type { ExpiringTable } from './expiring-table.js';
import type { MemoryStore } from './memory-store.js';

const tokenBytes = 24;

/** The largest tokens that resources have seen, as backend/redis/lua/fence.lua keeps them. */
export class MemoryFences {
  readonly #store: MemoryStore;
  readonly #tokens: ExpiringTable<number>;

  constructor(store: MemoryStore) {
    this.#store = store;
    this.#tokens = store.table('fence');
  }

  /**
   * Lets a guarded call to the resource at `base` pass, and remembers its token.
   * @throws StaleGuardError when a later holder has been there.
   */
  pass(operation: NamedOperation, base: string, guard: Guard | undefined): void {
    if (guard === undefined) return;
    const key = fenceKey(base, guard.lock);
    const token = Number(guard.token);
    const stored = this.#tokens.get(key);
    if (stored !== undefined && stored > token) throw new StaleGuardError(operation.name);
    const now = this.#store.now();
    const leftMs = (this.#tokens.expiresAtMs(key) ?? now) - now;
    if (stored !== token || leftMs < renewFenceMs) this.#tokens.set(key, token, tokenBytes, now + keepFenceMs);
  }
}
