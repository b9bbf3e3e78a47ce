import { mkdtemp, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { JournalFile, type JournalSource } from '../../../src/backend/resilient/journal-file.js';
import { type JournalContents, markOf, readContents, readHeader } from '../../../src/backend/resilient/journal-form.js';
import { systemClock } from '../../../src/clock.js';
import { systemRandom } from '../../../src/random.js';

/** A folder of its own for each test of the enclosing block. */
export function useFolder(): () => string {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'commonhold-journal-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}

/** A journal file at `path`. */
export function createFile(path: string, maxBytes: number = 64 * 1024 * 1024): Promise<JournalFile> {
  return JournalFile.create({ path, namespace: 'test', maxBytes, clock: systemClock, random: systemRandom });
}

/** The bodies of what is not done with, as text. */
export async function textsOf(source: JournalSource): Promise<string[]> {
  return Promise.all(Array.from(source.records, async (record) => String(await source.read(record))));
}

/** What another process would find in the file. */
export async function contentsOf(path: string): Promise<JournalContents & { readonly texts: readonly string[] }> {
  return contentsIn(await readFile(path));
}

/** What is found in a file of these bytes. */
export function contentsIn(bytes: Buffer): JournalContents & { readonly texts: readonly string[] } {
  const header = readHeader(bytes, 'the file');
  if (header === undefined) return { places: [], tornBytes: 0, damagedBytes: 0, texts: [] };
  const contents = readContents(bytes, markOf(header));
  const texts = contents.places.map(({ offset, bytes: length }) =>
    bytes.toString('utf8', offset + 25, offset + length),
  );
  return { ...contents, texts };
}

/** What all open files have in common, to count and to break what is done with them. */
export async function fileMethods(): Promise<FileHandle> {
  const handle = await open('/dev/null', 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}
