import type { StoredMessage } from '../message-frame.js';

/** Messages that one subscription holds while its listener is busy; beyond that it reads them from the stream. */
const mostMessages = 100;
const mostBytes = 1024 * 1024;

/** Messages that came and were not handed over yet: a queue that gives up rather than grow. */
export class MessageBuffer {
  #messages: StoredMessage[] = [];
  #bytes = 0;

  get size(): number {
    return this.#messages.length;
  }

  /** Adds a message; where it does not fit, drops all of them and returns false. */
  push(message: StoredMessage): boolean {
    const bytes = this.#bytes + message.body.length;
    if (this.size === mostMessages || (this.size > 0 && bytes > mostBytes)) {
      this.clear();
      return false;
    }
    this.#messages.push(message);
    this.#bytes = bytes;
    return true;
  }

  shift(): StoredMessage | undefined {
    const message = this.#messages.shift();
    this.#bytes -= message?.body.length ?? 0;
    return message;
  }

  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }
}
