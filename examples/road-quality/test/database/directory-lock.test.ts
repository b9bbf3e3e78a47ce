import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDirectory } from '../../src/database/directory-lock.js';

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'commonhold-lock-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

const file = (path: string): string => join(path, 'database.lock');

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return Number(child.pid);
}

describe('a locked directory', () => {
  it('is refused to a second one, with who has it and what to do, until it is released', async () => {
    const path = await directory();
    const lock = await lockDirectory(path);
    await lock.confirm();
    await expect(lockDirectory(path)).rejects.toThrow(`Process ${process.pid} on ${hostname()}`);
    await expect(lockDirectory(path)).rejects.toThrow('DATABASE_URL');
    await lock.release();
    await lock.release();
    expect(existsSync(file(path))).toBe(false);
    await (await lockDirectory(path)).release();
  });

  it('is taken from a process that died, and from an own process id of before a restart', async () => {
    for (const processId of [await deadProcess(), process.pid]) {
      const path = await directory();
      await writeFile(file(path), JSON.stringify({ host: hostname(), processId, token: 'old' }));
      const lock = await lockDirectory(path);
      await lock.confirm();
      await lock.release();
    }
  });

  it('is not taken from a live process, whatever the age of its file', async () => {
    const path = await directory();
    await writeFile(file(path), JSON.stringify({ host: hostname(), processId: process.ppid, token: 'old' }));
    await expect(lockDirectory(path)).rejects.toThrow(`Process ${process.ppid}`);
  });

  it('is taken from another machine when its beats end, and not before', async () => {
    const path = await directory();
    await writeFile(file(path), JSON.stringify({ host: 'elsewhere', processId: 1, token: 'old' }));
    await expect(lockDirectory(path)).rejects.toThrow('Process 1 on elsewhere');
    const past = new Date(Date.now() - 20_000);
    await utimes(file(path), past, past);
    await (await lockDirectory(path)).release();
  });

  it('is one process’s alone when many find it dead at once', async () => {
    const path = await directory();
    await writeFile(file(path), JSON.stringify({ host: hostname(), processId: await deadProcess(), token: 'old' }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(path)));
    const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]?.release();
  });

  it('tells its holder when it was taken over, and is not removed by it', async () => {
    const path = await directory();
    const lock = await lockDirectory(path);
    await writeFile(file(path), JSON.stringify({ host: 'elsewhere', processId: 1, token: 'new' }));
    await expect(lock.confirm()).rejects.toThrow('taken over');
    await lock.release();
    expect(await readFile(file(path), 'utf8')).toContain('elsewhere');
  });
});
