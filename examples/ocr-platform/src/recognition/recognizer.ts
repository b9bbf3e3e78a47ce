import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { readFacts } from './inspect-image.js';
import { renderPage, type Page } from './page-image.js';
import { inkCount, readPage } from './read-page.js';
import type { CallOptions, Reading, TesseractThread } from './tesseract-thread.js';
import { ThreadPool } from './thread-pool.js';

/** Options of {@link createRecognizer}. */
export interface RecognizerOptions {
  /**
   * Files read at the same time, each in a thread of its own: 1 to 64, default one less than the cores (at least 1). A
   * thread holds about 80 MB, and 200 MB or more once it has read a very large page.
   */
  readonly threads?: number | undefined;
}

/** Options of one recognition. */
export interface RecognizeOptions {
  /** Stops the work within milliseconds, by ending the thread that does it; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Hears how much is done: never less than before, at most 0.99 until the end, then 1 once. While a page that reads
   * badly is tried in other directions the number stands still.
   */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** Reads the text of images. Holds no thread before its first use. */
export interface Recognizer {
  /**
   * Reads the text of an image; the pages of a TIFF file are separated by form feeds. The confidence is the mean over
   * the characters found, 0 to 100; without any text it is 0.
   *
   * @param file The bytes, or the path of a file. A path that cannot be read rejects with the file system's error.
   * @throws {ImageError} For an image that cannot be read; the signal's reason when aborted; any other error means that
   * the recognition thread failed. Only this call is affected; the next one gets a new thread.
   */
  recognize(file: Buffer | string, options?: RecognizeOptions): Promise<Reading>;
  /** Ends all threads. Work in hand is rejected, later calls too. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a recognizer for English text. Decoding and recognition run in threads; the caller's event loop stays free.
 *
 * @throws {RangeError} When `threads` is not a whole number from 1 to 64.
 */
export function createRecognizer(options: RecognizerOptions = {}): Recognizer {
  const pool = new ThreadPool(threadCount(options.threads));
  const close = async (): Promise<void> => pool.close();
  return {
    async recognize(file, { signal, onProgress } = {}) {
      signal?.throwIfAborted();
      const bytes = typeof file === 'string' ? await readFile(file) : file;
      const { format, pages } = await readFacts(bytes);
      return pool.use(async (thread) => {
        const report = monotonic(onProgress);
        const readings: Reading[] = [];
        for (let page = 0; page < pages; page++) {
          const onPageProgress = (fraction: number): void => report(Math.min(0.99, (page + fraction) / pages));
          readings.push(await readUpright(thread, { bytes, format, page }, { signal, onProgress: onPageProgress }));
        }
        report(1);
        return joinPages(readings);
      }, signal);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readUpright(thread: TesseractThread, page: Page, options: CallOptions): Promise<Reading> {
  return readPage(async (turn) => {
    const image = await renderPage(page, turn);
    return thread.recognize(image, options);
  });
}

function joinPages(readings: readonly Reading[]): Reading {
  let characters = 0;
  let sum = 0;
  for (const { text, confidence } of readings) {
    characters += inkCount(text);
    sum += confidence * inkCount(text);
  }
  const text = readings.map((reading) => reading.text.trimEnd()).join('\f');
  return { text, confidence: characters === 0 ? 0 : Math.round(sum / characters) };
}

/** Swallows what is not above the last number, which also keeps the attempts in other directions silent. */
function monotonic(onProgress: RecognizeOptions['onProgress']): (fraction: number) => void {
  let last = 0;
  return (fraction) => {
    if (fraction <= last) return;
    last = fraction;
    onProgress?.(fraction);
  };
}

function threadCount(threads: number = Math.max(1, availableParallelism() - 1)): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= 64) return threads;
  throw new RangeError(`threads must be a whole number from 1 to 64; got ${threads}`);
}
