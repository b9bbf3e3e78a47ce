import { setTimeout as sleep } from 'node:timers/promises';

/** A stop that did not go well: something did not end in time, or failed while ending. The server is gone all the same. */
export class StopError extends Error {
  override readonly name = 'StopError';
}

/** How to stop. */
export interface StopOptions {
  /** How long `/ready` says 503 while everything is still served, so that a balancer sees it. Default 0. */
  readonly noticeMs?: number;
  /** How long all of it may take, notice included. Default `STOP_WITHIN_MS`. */
  readonly withinMs?: number;
}

/** What a stop waits for, by name, so that it can say what did not end. */
export class Endings {
  readonly #pending = new Map<object, () => string>();
  readonly #failures: string[] = [];

  /** Waits for `ending`; that it rejects is noted and does not keep the rest from ending. `name` may be asked later. */
  async wait(name: string | (() => string), ending: Promise<unknown>): Promise<void> {
    const nameNow = typeof name === 'string' ? () => name : name;
    const key = {};
    this.#pending.set(key, nameNow);
    try {
      await ending;
    } catch (error) {
      this.#failures.push(`${nameNow()} failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#pending.delete(key);
    }
  }

  /** Waits for `all`, at most `withinMs`. @throws StopError naming what did not end, or what failed. */
  async within(all: Promise<void>, withinMs: number): Promise<void> {
    const over = new AbortController();
    const late = sleep(withinMs, 'late' as const, { signal: over.signal }).catch(() => 'in time' as const);
    const outcome = await Promise.race([all.then(() => 'in time' as const), late]);
    over.abort();
    const problems = [...this.#failures, ...(outcome === 'late' ? [this.#unended(withinMs)] : [])];
    if (problems.length > 0) throw new StopError(problems.join('; '));
  }

  #unended(withinMs: number): string {
    const names = [...this.#pending.values()].map((name) => name());
    return `did not end within ${withinMs} ms: ${names.join(', ')}`;
  }
}
