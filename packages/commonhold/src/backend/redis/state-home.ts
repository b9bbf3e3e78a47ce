import type { ServerFacts } from './server-facts.js';

/**
 * Which of several servers has the state: at first the primary, and after a move the one that continues its history, as a
 * promoted replica does. Redis names each history by an id: replicas have that of their master, and remember it as their
 * former one when they are promoted.
 */
export class StateHome {
  #name = 'primary';
  #history = '';

  /** The server that has the state. */
  get name(): string {
    return this.#name;
  }

  /** Says what a server is that can be reached; `inUse` when calls go there from now on. */
  met(name: string, facts: ServerFacts, inUse: boolean): void {
    if (!(inUse || name === this.#name) || !this.mayMoveTo(name, facts)) return;
    this.#name = name;
    this.#history = facts.history;
  }

  /** Whether the state is there: with the server that had it last, and with one that continues what that one wrote. */
  mayMoveTo(name: string, { history, formerHistory }: ServerFacts): boolean {
    if (name === this.#name) return true;
    return this.#history !== '' && (history === this.#history || formerHistory === this.#history);
  }
}
