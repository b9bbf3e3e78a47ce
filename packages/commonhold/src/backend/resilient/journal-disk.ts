import { constants, type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Readable and writable by its owner alone: what lies in a journal is the application's own data. */
const mode = 0o600;

/** What the name of a file that is being written ends with. */
export const unfinishedEnd = '.new';

/**
 * Puts a file at `path` whole or not at all, whatever happens meanwhile: written beside it, synced, renamed, and the name
 * synced too. `write` returns how long it became. The handle that it was written by stays open.
 */
export async function placeFile(
  path: string,
  write: (handle: FileHandle) => Promise<number>,
): Promise<{ readonly handle: FileHandle; readonly length: number }> {
  const unfinished = `${path}${unfinishedEnd}`;
  await rm(unfinished, { force: true });
  const handle = await open(unfinished, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    const length = await write(handle);
    await handle.sync();
    await rename(unfinished, path);
    await syncFolder(dirname(path));
    return { handle, length };
  } catch (error) {
    await handle.close();
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes all of `bytes` from `position` on. */
export async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}

/** Reads `length` bytes from `position` on, or those there are. */
export async function readAt(handle: FileHandle, length: number, position: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}

/** Whether `path` still leads to the file that `handle` is open on. */
export async function leadsTo(path: string, handle: FileHandle): Promise<boolean> {
  try {
    const [there, here] = await Promise.all([stat(path), handle.stat()]);
    return there.ino === here.ino && there.dev === here.dev;
  } catch {
    return false;
  }
}

/** Whether the disk, or a bound on the file, has no room for more. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String(error.code));
}
