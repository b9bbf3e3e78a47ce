import { type JobHandler, NonRetryableError } from 'commonhold';
import type { FileStore } from '../files/file-store.js';
import { hasCode } from '../has-code.js';
import type { OcrState, Scan, ScanJob } from '../ocr-state.js';
import { ImageError } from '../recognition/image-error.js';
import { createRecognizer, type Recognizer, type RecognizeOptions } from '../recognition/recognizer.js';

/** Reads files as tasks come, until it is closed. */
export interface ScanWorker {
  /** Takes no more tasks; those that do not end within seconds are given back, to be read by another. */
  close(): Promise<void>;
}

/** Shorter than the 10 s that container hosts leave between SIGTERM and SIGKILL. */
const grace = '5s';

const progressStep = 0.05;

/** Starts reading `concurrency` files at a time, each in a thread of its own. */
export function startScanWorker(state: OcrState, files: FileStore, concurrency: number): ScanWorker {
  const recognizer = createRecognizer({ threads: concurrency });
  const worker = state.tasks.work(scanHandler(recognizer, files), { concurrency });
  return {
    async close(): Promise<void> {
      await worker.close({ grace });
      await recognizer.close();
    },
  };
}

function scanHandler(recognizer: Recognizer, files: FileStore): JobHandler<ScanJob, Scan> {
  return async ({ data }, controls) => {
    // Its owner hears at once that somebody has begun.
    controls.progress(0);
    const onProgress = inSteps((fraction) => controls.progress(fraction));
    return recognize(recognizer, files.path(data.file_id), { signal: controls.signal, onProgress });
  };
}

/** Passes on every twentieth: each note is a message to the owner, and of those only the last thousand can be replayed. */
function inSteps(progress: (fraction: number) => void): (fraction: number) => void {
  let next = progressStep;
  return (fraction) => {
    if (fraction < next) return;
    next = fraction + progressStep;
    progress(fraction);
  };
}

async function recognize(recognizer: Recognizer, path: string, options: RecognizeOptions): Promise<Scan> {
  try {
    const { text, confidence } = await recognizer.recognize(path, options);
    return { text, confidence };
  } catch (error) {
    // The same bytes will not read better another time.
    if (error instanceof ImageError) throw new NonRetryableError(error.message, { cause: error });
    if (hasCode(error, 'ENOENT'))
      throw new Error('The file is not here: do all processes share DATA_DIR?', { cause: error });
    // What the file system says names paths of this machine, which are nobody's business.
    if (isFileError(error)) throw new Error('The file cannot be read here', { cause: error });
    throw error;
  }
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
