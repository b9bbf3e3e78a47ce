import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteRange } from './byte-ranges.js';
import { absent, addFrom } from './write-whole.js';

/** What came is not what the range says. */
export class ChunkLengthError extends Error {
  override readonly name = 'ChunkLengthError';
}

/** Other bytes came for this range before. */
export class ChunkConflictError extends Error {
  override readonly name = 'ChunkConflictError';
}

/** A file put together from its chunks, not kept yet. */
export interface JoinedFile {
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly id: string;
  /** Where it is for now. */
  readonly path: string;
}

/**
 * Chunks of uploads, in a directory that all containers share: `incoming/<upload>/<first>-<last>`. A chunk is written
 * under a temporary name, flushed, and linked to its own, so it is there whole or not at all, and the first one stays. Ids
 * must have been checked.
 */
export class ChunkStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, 'incoming');
  }

  /**
   * Keeps the bytes of one range.
   *
   * @throws ChunkLengthError when the stream is longer or shorter than the range; ChunkConflictError when other bytes came
   *   for exactly this range. Nothing is kept then, nor when the stream breaks.
   */
  async receive(uploadId: string, range: ByteRange, bytes: Readable): Promise<void> {
    const folder = join(this.#directory, uploadId);
    await mkdir(folder, { recursive: true });
    const temporary = join(folder, `${randomUUID()}.tmp`);
    const path = join(folder, `${range[0]}-${range[1]}`);
    try {
      const id = await writeHashed(measured(bytes, range[1] - range[0] + 1), temporary);
      const isNew = await addFrom(temporary, path);
      if (isNew || id === (await hashOf(path))) return;
      throw new ChunkConflictError(`Bytes ${range[0]}-${range[1]} came before, and were others.`);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /**
   * Writes the chunks one behind the other into one file of `size` bytes. Where chunks overlap, the one that begins first
   * counts. The caller moves or removes the file.
   *
   * @throws Error when a chunk is not here.
   */
  async join(uploadId: string, size: number): Promise<JoinedFile> {
    const path = join(this.#directory, `${randomUUID()}.tmp`);
    const folder = join(this.#directory, uploadId);
    const ranges = (await readdir(folder).catch(absent)) ?? [];
    try {
      return { path, id: await writeHashed(chunksInOrder(folder, ranges.flatMap(readName), size), path) };
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Removes the chunks of an upload; one that comes meanwhile may break, or stay until it counts as abandoned. */
  async remove(uploadId: string): Promise<void> {
    await rm(join(this.#directory, uploadId), { recursive: true, force: true, maxRetries: 5 });
  }

  /** Removes what nobody touched for so long: uploads given up, and files of containers that died. */
  async removeAbandoned(olderThanMs: number): Promise<void> {
    for (const name of (await readdir(this.#directory).catch(absent)) ?? []) {
      const path = join(this.#directory, name);
      const found = await stat(path).catch(absent);
      const isOld = found !== undefined && Date.now() - found.mtimeMs > olderThanMs;
      if (isOld) await rm(path, { recursive: true, force: true });
    }
  }
}

async function* measured(bytes: Readable, length: number): AsyncGenerator<Buffer> {
  let received = 0;
  // A request that is destroyed before its end is never over: who answers it reads the rest.
  for await (const part of bytes.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += part.length;
    if (received > length) break;
    yield part;
  }
  if (received === length) return;
  const came = received > length ? 'more' : String(received);
  throw new ChunkLengthError(`The range has ${length} bytes; ${came} came.`);
}

async function* chunksInOrder(folder: string, ranges: readonly ByteRange[], size: number): AsyncGenerator<Buffer> {
  let next = 0;
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0] || b[1] - a[1])) {
    if (first > next) break;
    if (last < next) continue;
    yield* createReadStream(join(folder, `${first}-${last}`), { start: next - first }) as AsyncIterable<Buffer>;
    next = last + 1;
  }
  if (next !== size) throw new Error(`Byte ${next} of an upload is not here: do all containers share DATA_DIR?`);
}

function readName(name: string): ByteRange[] {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(name) ?? [];
  return last === undefined ? [] : [[Number(first), Number(last)]];
}

// Without a stream, which opens its file in its own time: after it failed that may be when the file was removed already.
async function writeHashed(source: AsyncIterable<Buffer>, path: string): Promise<string> {
  const hash = createHash('sha256');
  const hashed = async function* (): AsyncGenerator<Buffer> {
    for await (const part of source) {
      hash.update(part);
      yield part;
    }
  };
  await using file = await open(path, 'wx');
  await writeFile(file, hashed());
  await file.sync();
  return hash.digest('hex');
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
