import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Takes what is to be done at the end of a test or a group of tests. */
export type AtEnd = (end: () => Promise<void>) => void;

/** A directory of its own, removed with the test. */
export async function temporaryDirectory(atEnd: AtEnd = onTestFinished): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-audio-'));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
