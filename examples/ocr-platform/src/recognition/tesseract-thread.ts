import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What was read on one image. */
export interface Reading {
  readonly text: string;
  /** Mean confidence in the words, 0 to 100 as Tesseract gives it; 0 where nothing was found. */
  readonly confidence: number;
}

/** How one call to the thread is watched and stopped. */
export interface CallOptions {
  /** Terminates the thread; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Hears the progress of a recognition, 0 to 1. An error that it throws fails the call. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

type Action = 'load' | 'loadLanguage' | 'initialize' | 'setParameters' | 'recognize';

/** Only a recognition resolves with anything that is used here. */
type Result = { readonly text?: string | null; readonly confidence?: number | null } | undefined;

type Reply = { readonly action: Action } & (
  | { readonly status: 'resolve'; readonly data: Result }
  | { readonly status: 'reject'; readonly data: string }
  | { readonly status: 'progress'; readonly data: { readonly progress: number } }
);

interface Call {
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: ((fraction: number) => void) | undefined;
}

const { resolve } = createRequire(import.meta.url);
const WORKER_SCRIPT = resolve('tesseract.js/src/worker-script/node/index.js');

/**
 * The integer model of the data package. Measured against its float model (`4.0.0`) on the reference scans: the same
 * text (100 % and 98.1 % of the characters right) and pace, a start in 230 instead of 330 ms, 3 instead of 11 MB.
 */
const LANGUAGE_PATH = join(dirname(resolve('@tesseract.js-data/eng/package.json')), '4.0.0_best_int');
const LSTM_ONLY = 1;

const PARAMETERS = {
  /** Automatic page segmentation; the engine's own default takes the page for one block. */
  tessedit_pageseg_mode: '3',
  /** Files claim 25 or 72 dots an inch at random, and the engine warns on stderr about each. */
  user_defined_dpi: '300',
  /** Remarks such as "too few characters" belong to no log of ours. */
  debug_file: '/dev/null',
};

/**
 * One worker thread with Tesseract in it, which does one thing at a time.
 *
 * It runs tesseract.js's worker script and speaks its messages, but does not use `createWorker`. Through that, a thread
 * that dies leaves its callers waiting for ever, a thread that dies while it starts, or a rejected image without an
 * error handler, ends the process, and `terminate` does not wait. The messages belong to no documented API, so
 * the version of tesseract.js is pinned exactly.
 *
 * The model comes from the installed package, the engine from tesseract.js-core beside it. Nothing is downloaded, and
 * the cache of unpacked models (by default a file in the working directory) is off.
 */
export class TesseractThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #started = false;
  #call: Call | undefined;
  #end: { readonly reason: unknown } | undefined;

  constructor() {
    this.#worker = new Worker(WORKER_SCRIPT, { execArgv: [] });
    this.#exited = new Promise((settle) => {
      this.#worker.once('exit', (code) => {
        this.#fail(new Error(`the recognition thread ended with code ${code}`));
        settle();
      });
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
  }

  /** False once the thread has failed or was stopped; every further call rejects. */
  get usable(): boolean {
    return this.#end === undefined;
  }

  /** Loads engine and model, once: about 230 ms. To be awaited before the first {@link recognize}. */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#started) return;
    const language = { langPath: LANGUAGE_PATH, cacheMethod: 'none', gzip: true, lstmOnly: true };
    await this.#ask('load', { options: { lstmOnly: true } }, { signal });
    await this.#ask('loadLanguage', { langs: 'eng', options: language }, { signal });
    await this.#ask('initialize', { langs: 'eng', oem: LSTM_ONLY, config: {} }, { signal });
    await this.#ask('setParameters', { params: PARAMETERS }, { signal });
    this.#started = true;
  }

  /**
   * Reads one image. Measured on 2 cores: 20 ms for two words, 300 ms for a page of 280 characters, 500 ms for 420;
   * 9 s for a page of 7,700. The time goes with the text more than with the pixels.
   *
   * @param image A PNG file.
   */
  async recognize(image: Uint8Array, options: CallOptions = {}): Promise<Reading> {
    const result = await this.#ask('recognize', { image, options: {}, output: { text: true } }, options);
    return { text: result?.text ?? '', confidence: result?.confidence ?? 0 };
  }

  /** Ends the thread, even inside a recognition, and waits until it is gone. A call in hand rejects with `reason`. */
  async stop(reason: unknown = new Error('the recognition thread was stopped')): Promise<void> {
    this.#fail(reason);
    await this.#worker.terminate();
    await this.#exited;
  }

  async #ask(action: Action, payload: object, { signal, onProgress }: CallOptions): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw this.#end.reason;
    const stop = (): void => void this.stop(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#call = { resolve, reject, onProgress };
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        this.#worker.postMessage({ workerId: 'thread', jobId: action, action, payload });
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  #settle({ action, status, data }: Reply): void {
    if (status === 'resolve') this.#call?.resolve(data);
    else if (status === 'progress') this.#report(action, data.progress);
    // The engine's memory is in doubt after an error, so the thread is not used again.
    else this.#fail(new Error(`${action} failed in the recognition thread: ${data}`));
  }

  #report(action: Action, fraction: number): void {
    if (action !== 'recognize') return;
    try {
      this.#call?.onProgress?.(Math.min(1, fraction));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(reason: unknown): void {
    this.#end ??= { reason };
    this.#call?.reject(reason);
    this.#call = undefined;
  }
}
