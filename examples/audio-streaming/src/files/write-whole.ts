import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from '../has-code.js';

/** Writes a file under a temporary name, flushes it and renames it: readers see all of it or what was there before. */
export async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  const temporary = await writeTemporary(path, content);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes a file whole unless it is there; returns whether it did. What is there never changes, whoever comes second. */
export async function addFile(path: string, content: string | Buffer): Promise<boolean> {
  return addFrom(await writeTemporary(path, content), path);
}

/** Gives a file that was written under another name its own, unless that is taken; returns whether it did. */
export async function addFrom(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The content, or undefined where there is no such file. */
export async function readFileIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(absent);
}

/** Time of last change in nanoseconds since 1970, or undefined where there is no such file. */
export async function modifiedAtNs(path: string): Promise<bigint | undefined> {
  const found = await stat(path, { bigint: true }).catch(absent);
  return found?.mtimeNs;
}

/** For `catch`: undefined for a file that is not there; anything else goes on. */
export function absent(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
}

async function writeTemporary(path: string, content: string | Buffer): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  await using file = await open(temporary, 'wx');
  await file.writeFile(content);
  await file.sync();
  return temporary;
}
