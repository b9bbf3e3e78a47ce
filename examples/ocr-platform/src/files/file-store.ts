import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';

/** A file that has arrived and is not kept yet. */
export interface ReceivedFile {
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly id: string;
  /** Where it is for now. */
  readonly path: string;
}

/** What was never kept is removed after this: its process died. */
const abandonedMs = 3_600_000;

/**
 * Files by the SHA-256 of their bytes, in a directory that all processes share. A file is there whole or not at all: it
 * is written under a temporary name, flushed to the disk, and renamed.
 */
export class FileStore {
  readonly #files: string;
  readonly #incoming: string;

  /** Use {@link openFileStore}. */
  constructor(directory: string) {
    this.#files = join(directory, 'files');
    this.#incoming = join(directory, 'incoming');
  }

  /** Makes the directories, and removes what was left behind by processes that died. */
  async prepare(): Promise<void> {
    await mkdir(this.#files, { recursive: true });
    await mkdir(this.#incoming, { recursive: true });
    for (const name of await readdir(this.#incoming)) await this.#removeAbandoned(join(this.#incoming, name));
  }

  /** Writes a stream to the disk. The caller keeps or discards the file. */
  async receive(bytes: Readable): Promise<ReceivedFile> {
    const path = join(this.#incoming, randomUUID());
    const hash = createHash('sha256');
    const file = createWriteStream(path, { flags: 'wx', flush: true });
    try {
      const hashed = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of source) {
          hash.update(chunk);
          yield chunk;
        }
      };
      await pipeline(bytes, hashed, file);
      return { id: hash.digest('hex'), path };
    } catch (error) {
      // A stream opens its file in its own time, which may be after it was given up.
      await finished(file).catch(() => undefined);
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Puts a received file in its place; the same bytes may be there already. */
  async keep(file: ReceivedFile): Promise<void> {
    await rename(file.path, this.path(file.id));
  }

  async discard(file: ReceivedFile): Promise<void> {
    await rm(file.path, { force: true });
  }

  /** Where the file of this id is, if it was kept. */
  path(id: string): string {
    return join(this.#files, id);
  }

  async #removeAbandoned(path: string): Promise<void> {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true });
  }
}

/** Opens the files in `directory`, which is made when it does not exist. */
export async function openFileStore(directory: string): Promise<FileStore> {
  const store = new FileStore(directory);
  await store.prepare();
  return store;
}
