import type { DocumentedNotice, Queue, Subscription } from 'commonhold';
import type { Socket } from 'socket.io';
import type { Scan, ScanJob } from '../ocr-state.js';
import { taskUpdate } from './task-update.js';

/** As much waits in memory for a slow client; the rest stays in the store until it has read that. */
const mostUnsent = 64;

/** One socket and its user's notices. Nothing is sent before `begin`, and nothing is lost meanwhile. */
export class TaskConnection {
  readonly userId: string;
  readonly #socket: Socket;
  readonly #stopWatching: () => void;
  readonly #begun: Promise<void>;
  #subscription: Subscription | undefined;
  #unsent = 0;
  #goOn: () => void = () => undefined;
  #closed = false;
  #letThrough: () => void = () => undefined;

  /** `stopWatching` ends the watch over the session. */
  constructor(socket: Socket, userId: string, stopWatching: () => void) {
    this.#socket = socket;
    this.userId = userId;
    this.#stopWatching = stopWatching;
    this.#begun = new Promise((resolve) => (this.#letThrough = resolve));
    socket.conn.on('packetCreate', () => this.#unsent++);
    socket.conn.on('flush', () => this.#onFlush());
  }

  /** The socket is connected: lets what came so far through, unless its session ended meanwhile. */
  begin(): void {
    if (this.#closed) this.end();
    else this.#letThrough();
  }

  /** Listens to the user's notices: from now on, or from the one after `lastId`. */
  async open(tasks: Queue<ScanJob, Scan>, lastId: string | undefined): Promise<void> {
    const options = {
      ...(lastId !== undefined && { after: lastId }),
      onResync: () => this.#send('resync'),
    };
    const notices = tasks.notices<DocumentedNotice>(this.userId);
    const subscription = await notices.subscribe(
      (notice, id) => this.#send('task_update', taskUpdate(notice, id)),
      options,
    );
    if (this.#closed) subscription.close();
    else this.#subscription = subscription;
  }

  /** Ends the session's sight of its tasks; the client is not to come back by itself. */
  end(): void {
    this.#socket.disconnect(true);
    this.close();
  }

  /** Listens no more. May be called twice. */
  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#letThrough();
    this.#goOn();
    this.#subscription?.close();
  }

  async #send(event: string, ...body: readonly unknown[]): Promise<void> {
    await this.#begun;
    if (this.#unsent >= mostUnsent) await new Promise<void>((resolve) => (this.#goOn = resolve));
    if (!this.#closed) this.#socket.emit(event, ...body);
  }

  #onFlush(): void {
    this.#unsent = 0;
    this.#goOn();
  }
}
