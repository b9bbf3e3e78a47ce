import { TesseractThread } from './tesseract-thread.js';

interface Waiter {
  readonly proceed: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * At most `size` recognition threads, started when they are first needed and then kept. Callers beyond that wait in the
 * order they came. A thread that failed or was stopped is dropped, and the next caller gets a new one.
 */
export class ThreadPool {
  readonly #size: number;
  readonly #threads = new Set<TesseractThread>();
  readonly #idle: TesseractThread[] = [];
  readonly #waiting = new Set<Waiter>();
  #busy = 0;
  #closing: Promise<void> | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Lends a started thread to `work`, and to nobody else until it settles.
   *
   * @param signal Ends the wait for a thread, and its start. Passing it on to the thread's calls is up to `work`.
   * @throws The signal's reason, or an error once the pool is closed.
   */
  async use<T>(work: (thread: TesseractThread) => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      this.#refuseClosed();
      return await this.#lend(this.#takeIdle() ?? this.#spawn(), work, signal);
    } finally {
      this.#leave();
    }
  }

  /** Stops every thread, also those at work, whose callers are rejected. Idempotent; resolves when all are gone. */
  close(): Promise<void> {
    this.#closing ??= this.#stopAll(closedError());
    return this.#closing;
  }

  async #lend<T>(
    thread: TesseractThread,
    work: (thread: TesseractThread) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    try {
      await thread.start(signal);
      return await work(thread);
    } finally {
      if (thread.usable) this.#idle.push(thread);
      else await this.#drop(thread);
    }
  }

  #takeIdle(): TesseractThread | undefined {
    for (;;) {
      const thread = this.#idle.pop();
      if (thread === undefined || thread.usable) return thread;
      this.#threads.delete(thread);
    }
  }

  #spawn(): TesseractThread {
    const thread = new TesseractThread();
    this.#threads.add(thread);
    return thread;
  }

  async #drop(thread: TesseractThread): Promise<void> {
    await thread.stop();
    this.#threads.delete(thread);
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.#refuseClosed();
    if (this.#busy === this.#size) await this.#wait(signal);
    else this.#busy++;
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    let stopWaiting: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const waiter: Waiter = { proceed: resolve, refuse: reject };
        this.#waiting.add(waiter);
        stopWaiting = () => {
          if (this.#waiting.delete(waiter)) reject(signal?.reason);
        };
        signal?.addEventListener('abort', stopWaiting, { once: true });
      });
    } finally {
      if (stopWaiting !== undefined) signal?.removeEventListener('abort', stopWaiting);
    }
  }

  /** The place of one that leaves is handed to the first that waits, so nobody can slip in between. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#busy--;
      return;
    }
    this.#waiting.delete(next);
    next.proceed();
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw closedError();
  }

  async #stopAll(reason: Error): Promise<void> {
    for (const { refuse } of this.#waiting) refuse(reason);
    this.#waiting.clear();
    await Promise.all([...this.#threads].map(async (thread) => thread.stop(reason)));
    this.#threads.clear();
  }
}

function closedError(): Error {
  return new Error('the recognizer is closed');
}
