import { type Operation, operationKey, operationReused } from '../../operation-id.js';
import type { ExpiringTable } from './expiring-table.js';
import type { MemoryStore } from './memory-store.js';

interface Note<Answer> {
  readonly what: string;
  answer: Answer | undefined;
}

/** Objects and texts of a note; what it answers grows with what it says. Rounded up. */
const noteBytes = 120;
const bytesPerCharacter = 8;

/** What operations of one feature did, each for as long as it is to be remembered. */
export class MemoryOperations<Answer> {
  readonly #store: MemoryStore;
  readonly #notes: ExpiringTable<Note<Answer>>;

  constructor(store: MemoryStore, feature: string) {
    this.#store = store;
    this.#notes = store.table(`${feature}-operation`);
  }

  /**
   * Does `step` and remembers its answer, if `done` says that it did something; or gives the answer it had before. `what`
   * tells operations apart that one id must not stand for.
   * @throws InvalidArgumentError for an id that another operation had, naming `where`.
   */
  once(
    key: string,
    { id, rememberMs }: Operation,
    what: string,
    where: string,
    step: () => Answer,
    done: (answer: Answer) => boolean = () => true,
  ): Answer {
    const noteKey = operationKey(key, id);
    const before = this.#notes.get(noteKey);
    if (before !== undefined && before.what !== what) throw operationReused(where);
    if (before !== undefined) return before.answer as Answer;
    const note: Note<Answer> = { what, answer: undefined };
    // Takes the room first: a step that is done must be remembered.
    this.#notes.set(noteKey, note, noteBytes + bytesPerCharacter * what.length, this.#store.now() + rememberMs);
    let isDone = false;
    try {
      note.answer = step();
      isDone = done(note.answer);
      return note.answer;
    } finally {
      if (!isDone) this.#notes.delete(noteKey);
    }
  }

  /** Forgets an operation; whether it was remembered. */
  forget(key: string, id: string): boolean {
    return this.#notes.delete(operationKey(key, id));
  }
}
