import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openFileStore } from '../../src/files/file-store.js';
import { temporaryDirectory } from '../platform.js';

describe('the file store', () => {
  it('keeps a file under the SHA-256 of its bytes, the same file twice included', async () => {
    const directory = await temporaryDirectory();
    const store = await openFileStore(directory);
    const bytes = Buffer.alloc(300_000, 'text');
    const id = createHash('sha256').update(bytes).digest('hex');
    for (let round = 0; round < 2; round++) {
      const file = await store.receive(Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]));
      expect(file.id).toBe(id);
      await store.keep(file);
    }
    expect(await readFile(store.path(id))).toEqual(bytes);
    expect(await readdir(join(directory, 'files'))).toEqual([id]);
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
  });

  it('leaves nothing of a stream that broke, nor of a file that was discarded', async () => {
    const directory = await temporaryDirectory();
    const store = await openFileStore(directory);
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('a');
        throw new Error('broken');
      })(),
    );
    await expect(store.receive(broken)).rejects.toThrow('broken');
    await store.discard(await store.receive(Readable.from([Buffer.from('b')])));
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
    expect(await readdir(join(directory, 'files'))).toEqual([]);
  });

  it('leaves nothing of a stream that broke before its file was opened', async () => {
    const directory = await temporaryDirectory();
    const store = await openFileStore(directory);
    const opened = openLate();
    const broken = new Readable({ read: () => void broken.destroy(new Error('broken')) });
    await expect(store.receive(broken)).rejects.toThrow('broken');
    await opened;
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
  });

  it('clears away what a dead process left an hour ago, and nothing younger', async () => {
    const directory = await temporaryDirectory();
    await openFileStore(directory);
    const incoming = join(directory, 'incoming');
    const hourAgo = new Date(Date.now() - 3_700_000);
    await writeFile(join(incoming, 'old'), '');
    await utimes(join(incoming, 'old'), hourAgo, hourAgo);
    await writeFile(join(incoming, 'young'), '');
    await openFileStore(directory);
    expect(await readdir(incoming)).toEqual(['young']);
  });
});

type OpenFile = (path: string, flags: string, mode: number, done: (error: Error | null, file: number) => void) => void;

/** Lets the disk be slow to open a file for a stream; resolves when it has. */
function openLate(): Promise<void> {
  const { open } = fs;
  onTestFinished(() => void vi.restoreAllMocks());
  return new Promise((resolve) => {
    const late: OpenFile = (path, flags, mode, done) =>
      void setTimeout(() => open(path, flags, mode, (error, file) => (done(error, file), resolve())), 20);
    vi.spyOn(fs, 'open').mockImplementation(late as typeof open);
  });
}
