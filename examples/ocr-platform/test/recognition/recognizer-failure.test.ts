import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageError } from '../../src/recognition/image-error.js';
import { createRecognizer, type Recognizer } from '../../src/recognition/recognizer.js';
import { accuracy, fixture, longPage, PHOTOTEST, PHOTOTEST_TEXT } from './samples.js';

const HELLO = fixture('HelloGoogle.tif');
const LONG_PAGE = await longPage();

let threads: Worker[];
let recognizer: Recognizer;

function note(worker: Worker): void {
  threads.push(worker);
}

/** Node sets the id to -1 once the thread is gone. */
function running(): Worker[] {
  return threads.filter(({ threadId }) => threadId !== -1);
}

beforeEach(() => {
  threads = [];
  process.on('worker', note);
  recognizer = createRecognizer({ threads: 1 });
});

afterEach(async () => {
  process.off('worker', note);
  await recognizer.close();
  expect(running()).toEqual([]);
});

/** Starts to read a page that takes many seconds; `begun` resolves when the engine is at work on it. */
function readLongPage(signal?: AbortSignal): { begun: Promise<unknown>; reading: Promise<unknown> } {
  const engine = new EventEmitter();
  const begun = once(engine, 'progress');
  const reading = recognizer.recognize(LONG_PAGE, { signal, onProgress: () => engine.emit('progress') });
  reading.catch(() => {});
  return { begun, reading };
}

/** The worker script throws on an action that it does not know. */
function crash(worker: Worker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  worker.postMessage({ action: 'no such action' });
}

describe('abort', () => {
  it('stops a recognition in hand at once, and its thread with it', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled by its owner');
    const { begun, reading } = readLongPage(abort.signal);
    await begun;
    const abortedAtMs = performance.now();
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
    expect(performance.now() - abortedAtMs).toBeLessThan(1000);
    expect(threads).toHaveLength(1);
    expect(running()).toEqual([]);
  });

  it('leaves the recognizer ready for the next file', async () => {
    const abort = new AbortController();
    const { begun, reading } = readLongPage(abort.signal);
    await begun;
    abort.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(await recognizer.recognize(HELLO)).toMatchObject({ text: 'Hello Google' });
    expect(threads).toHaveLength(2);
  });

  it('begins nothing for a signal that was aborted before', async () => {
    const reading = recognizer.recognize(HELLO, { signal: AbortSignal.abort() });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(threads).toEqual([]);
  });

  it('ends a thread that is still starting', async () => {
    const abort = new AbortController();
    process.once('worker', () => abort.abort());
    await expect(recognizer.recognize(HELLO, { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(threads).toHaveLength(1);
    expect(running()).toEqual([]);
  });

  it('takes a waiting file out of the queue and leaves the one in hand alone', async () => {
    const abort = new AbortController();
    const begun = once(process, 'worker');
    const first = recognizer.recognize(PHOTOTEST);
    await begun;
    const second = recognizer.recognize(HELLO, { signal: abort.signal, onProgress: () => expect.unreachable() });
    const third = recognizer.recognize(HELLO);
    await sleep(100);
    abort.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    expect(accuracy((await first).text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
    expect(await third).toMatchObject({ text: 'Hello Google' });
    expect(threads).toHaveLength(1);
  });

  it('is too late after the end', async () => {
    const abort = new AbortController();
    await recognizer.recognize(HELLO, { signal: abort.signal });
    abort.abort();
    await recognizer.recognize(HELLO);
    expect(threads).toHaveLength(1);
  });
});

describe('a thread that dies', () => {
  it('fails the file in hand only', async () => {
    const { begun, reading } = readLongPage();
    const waiting = recognizer.recognize(HELLO);
    await begun;
    await threads[0]?.terminate();
    await expect(reading).rejects.toThrow('the recognition thread ended with code 1');
    expect(await waiting).toMatchObject({ text: 'Hello Google' });
    expect(threads).toHaveLength(2);
  });

  it('fails the file while it starts, with the error of the thread', async () => {
    process.once('worker', crash);
    await expect(recognizer.recognize(HELLO)).rejects.toThrow(TypeError);
    expect(await recognizer.recognize(HELLO)).toMatchObject({ text: 'Hello Google' });
  });

  it('is replaced unnoticed when it had nothing in hand', async () => {
    await recognizer.recognize(HELLO);
    const [idle] = threads;
    if (idle === undefined) throw new Error('no thread was started');
    const gone = new Promise((resolve) => idle.once('exit', resolve));
    crash(idle);
    await gone;
    expect(await recognizer.recognize(HELLO)).toMatchObject({ text: 'Hello Google' });
    expect(threads).toHaveLength(2);
  });
});

describe('a listener that throws', () => {
  it('fails its own file and nothing else', async () => {
    const error = new Error('from the listener');
    const onProgress = (): void => {
      throw error;
    };
    await expect(recognizer.recognize(PHOTOTEST, { onProgress })).rejects.toBe(error);
    expect(await recognizer.recognize(HELLO)).toMatchObject({ text: 'Hello Google' });
  });
});

describe('a bad file', () => {
  it('costs no thread', async () => {
    await expect(recognizer.recognize(Buffer.from('plain text'))).rejects.toBeInstanceOf(ImageError);
    await expect(recognizer.recognize('/no/such/file.png')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(threads).toEqual([]);
  });

  it('damaged behind its header, is refused by the decoder and leaves the thread in use', async () => {
    await recognizer.recognize(HELLO);
    const cut = LONG_PAGE.subarray(0, LONG_PAGE.length / 2);
    await expect(recognizer.recognize(cut)).rejects.toMatchObject({ name: 'ImageError', kind: 'damaged' });
    await recognizer.recognize(HELLO);
    expect(threads).toHaveLength(1);
  });
});

describe('the pool', () => {
  it('starts no thread before the first file and keeps it for the next', async () => {
    expect(threads).toEqual([]);
    await recognizer.recognize(HELLO);
    await recognizer.recognize(HELLO);
    expect(threads).toHaveLength(1);
  });

  it('reads in the order in which files came, one at a time per thread', async () => {
    const order: number[] = [];
    const read = async (index: number): Promise<unknown> =>
      recognizer.recognize(HELLO, { onProgress: (done) => done === 1 && order.push(index) });
    // The first alone, so that its thread is busy before the others ask for one.
    const first = readLongPage();
    await first.begun;
    const others: Promise<unknown>[] = [];
    for (const index of [1, 2, 3]) {
      others.push(read(index));
      await sleep(20);
    }
    await threads[0]?.terminate();
    await Promise.all(others);
    expect(order).toEqual([1, 2, 3]);
  });

  it('uses as many threads as it was given', async () => {
    await using two = createRecognizer({ threads: 2 });
    await Promise.all([two.recognize(HELLO), two.recognize(HELLO), two.recognize(HELLO)]);
    expect(threads).toHaveLength(2);
  });

  it.each([0, -1, 1.5, 65, Number.NaN])('refuses %d threads', (count) => {
    expect(() => createRecognizer({ threads: count })).toThrow(RangeError);
  });
});

describe('close', () => {
  it('rejects work in hand and waiting, and leaves no thread', async () => {
    const { begun, reading } = readLongPage();
    await begun;
    const waiting = recognizer.recognize(HELLO);
    waiting.catch(() => {});
    await sleep(50);
    await recognizer.close();
    expect(running()).toEqual([]);
    await expect(reading).rejects.toThrow('the recognizer is closed');
    await expect(waiting).rejects.toThrow('the recognizer is closed');
  });

  it('can be called twice, and before anything was read', async () => {
    await recognizer.close();
    await recognizer.close();
    await expect(recognizer.recognize(HELLO)).rejects.toThrow('the recognizer is closed');
    expect(threads).toEqual([]);
  });

  it('starts no thread for a file that was still being opened', async () => {
    const reading = recognizer.recognize(HELLO);
    await recognizer.close();
    await expect(reading).rejects.toThrow('the recognizer is closed');
    expect(threads).toEqual([]);
  });
});
