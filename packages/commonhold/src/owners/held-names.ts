import { InvalidArgumentError, OverloadedError } from '../errors.js';

/** That this process holds a name. */
export interface Hold extends AsyncDisposable {
  readonly name: string;
  /** Aborts when another process took the name over, because this one was out of reach for longer than its lease. */
  readonly signal: AbortSignal;
  /**
   * Says that this process is done with the name. Where it was held several times, the last release counts. Rejects when
   * the store is away; it is then said when the store is back. May be called twice.
   */
  release(): Promise<void>;
}

const mostNames = 5_000;
const mostNameBytes = 512;

/** @throws InvalidArgumentError for a name that is empty, longer than 512 bytes, or no well-formed text. */
export function checkHeldName(name: string): void {
  const fine =
    typeof name === 'string' && name !== '' && name.isWellFormed() && Buffer.byteLength(name) <= mostNameBytes;
  if (!fine) throw new InvalidArgumentError('name to hold', `1 to ${mostNameBytes} bytes of text`, name);
}

/** The names this process holds, each perhaps several times. */
export class HeldNames {
  readonly #holds = new Map<string, Set<HeldName>>();
  readonly #onReleased: (name: string) => Promise<void>;

  /** `onReleased` is called with the last release of a name. */
  constructor(onReleased: (name: string) => Promise<void>) {
    this.#onReleased = onReleased;
  }

  get names(): string[] {
    return [...this.#holds.keys()];
  }

  has(name: string): boolean {
    return this.#holds.has(name);
  }

  /** @throws OverloadedError for the 5,001st name. */
  add(name: string): Hold {
    const holds = this.#holds.get(name) ?? new Set();
    if (holds.size === 0 && this.#holds.size >= mostNames) {
      throw new OverloadedError('What this process holds', `${mostNames} names`);
    }
    const hold = new HeldName(name, (released) => this.#release(released));
    this.#holds.set(name, holds.add(hold));
    return hold;
  }

  /** Another process took the name over. */
  lose(name: string): void {
    const holds = this.#holds.get(name) ?? [];
    this.#holds.delete(name);
    for (const hold of holds) hold.lose();
  }

  async #release(hold: HeldName): Promise<void> {
    const holds = this.#holds.get(hold.name);
    if (!holds?.delete(hold) || holds.size > 0) return;
    this.#holds.delete(hold.name);
    await this.#onReleased(hold.name);
  }
}

class HeldName implements Hold {
  readonly name: string;
  readonly #lost = new AbortController();
  readonly #release: (hold: HeldName) => Promise<void>;

  constructor(name: string, release: (hold: HeldName) => Promise<void>) {
    this.name = name;
    this.#release = release;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  lose(): void {
    this.#lost.abort();
  }

  release(): Promise<void> {
    return this.#release(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
