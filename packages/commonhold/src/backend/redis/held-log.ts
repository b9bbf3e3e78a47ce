import type { Log } from '../../log.js';

/** Holds lines back until it is known whether they matter: those of a connection that is only tried. */
export class HeldLog implements Log {
  readonly #log: Log;
  #held: (() => void)[] | undefined = [];

  constructor(log: Log) {
    this.#log = log;
  }

  info(fields: object, message: string): void {
    this.#write(() => this.#log.info(fields, message));
  }

  warn(fields: object, message: string): void {
    this.#write(() => this.#log.warn(fields, message));
  }

  error(fields: object, message: string): void {
    this.#write(() => this.#log.error(fields, message));
  }

  /** Writes what was held back, and from now on everything at once. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) write();
  }

  #write(write: () => void): void {
    if (this.#held === undefined) write();
    else this.#held.push(write);
  }
}
