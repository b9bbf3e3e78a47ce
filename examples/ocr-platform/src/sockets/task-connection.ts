import type { DocumentedNotice, Queue, Subscription } from 'commonhold';
import type { Socket } from 'socket.io';
import type { Scan, ScanJob } from '../ocr-state.js';
import { taskUpdate } from './task-update.js';

/** A client that is so far behind reads nothing any more; it may come back and have the rest replayed. */
const mostUnsent = 500;

/** One socket and its user's notices. Nothing is sent before `begin`, and nothing is lost meanwhile. */
export class TaskConnection {
  readonly userId: string;
  readonly sessionId: string;
  readonly #socket: Socket;
  readonly #begun: Promise<void>;
  #subscription: Subscription | undefined;
  #unsent = 0;
  #closed = false;
  /** Lets what came so far through. */
  begin: () => void = () => undefined;

  constructor(socket: Socket, userId: string, sessionId: string) {
    this.#socket = socket;
    this.userId = userId;
    this.sessionId = sessionId;
    this.#begun = new Promise((resolve) => (this.begin = resolve));
    socket.conn.on('packetCreate', () => this.#unsent++);
    socket.conn.on('flush', () => (this.#unsent = 0));
  }

  /** Listens to the user's notices: from now on, or from the one after `lastId`. */
  async open(tasks: Queue<ScanJob, Scan>, lastId: string | undefined): Promise<void> {
    const options = {
      ...(lastId !== undefined && { after: lastId }),
      onResync: async (): Promise<void> => {
        await this.#begun;
        this.#send('resync');
      },
    };
    const subscription = await tasks.notices<DocumentedNotice>(this.userId).subscribe(async (notice, id) => {
      await this.#begun;
      this.#send('task_update', taskUpdate(notice, id));
    }, options);
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
    this.begin();
    this.#subscription?.close();
  }

  #send(event: string, ...body: readonly unknown[]): void {
    if (this.#closed) return;
    if (this.#unsent > mostUnsent) this.#socket.conn.close();
    else this.#socket.emit(event, ...body);
  }
}
