import { readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../src/testing/waiting.js';
import { contentsIn, contentsOf, createFile, fileMethods, textsOf, useFolder } from './journals.js';

const folder = useFolder();
const pathOf = (): string => join(folder(), 'journal');
const texts = (count: number): string[] => Array.from({ length: count }, (_, n) => `record ${n}`);
const systemError = (code: string): Error => Object.assign(new Error(code), { code });

afterEach(() => void vi.restoreAllMocks());

describe('a journal file', () => {
  it('keeps what was appended, in order, for its owner alone', async () => {
    const file = await createFile(pathOf());
    await Promise.all(texts(10).map((text) => file.append(2, Buffer.from(text))));
    expect((await contentsOf(pathOf())).texts).toEqual(texts(10));
    expect(await textsOf(file)).toEqual(texts(10));
    expect([...file.records]).toHaveLength(10);
    expect((await stat(pathOf())).mode & 0o777).toBe(0o600);
    await file.close();
    expect((await contentsOf(pathOf())).texts).toEqual(texts(10));
  });

  it('is gone when it is closed with nothing left in it', async () => {
    const file = await createFile(pathOf());
    const record = await file.append(2, Buffer.from('done with'));
    file.forget([record]);
    await file.close();
    await expect(stat(pathOf())).rejects.toThrow('ENOENT');
    await expect(file.append(2, Buffer.from('late'))).rejects.toMatchObject({ code: 'Closed' });
  });

  it('writes and syncs once for all appends of a turn, before any is answered', async () => {
    const file = await createFile(pathOf());
    const methods = await fileMethods();
    let synced = false;
    const sync = vi.spyOn(methods, 'datasync').mockImplementation(async () => void (synced = true));
    const write = vi.spyOn(methods, 'write');
    await Promise.all(
      texts(100).map((text) => file.append(2, Buffer.from(text)).then(() => expect(synced).toBe(true))),
    );
    expect([write.mock.calls.length, sync.mock.calls.length]).toEqual([1, 1]);
    await file.close();
  });

  it('forgets what is done with, also for who reads it later', async () => {
    const file = await createFile(pathOf());
    const records = await Promise.all(texts(5).map((text) => file.append(2, Buffer.from(text))));
    file.forget(records.filter((_, n) => n % 2 === 0));
    expect(await textsOf(file)).toEqual(['record 1', 'record 3']);
    await eventually(async () => expect((await contentsOf(pathOf())).texts).toEqual(['record 1', 'record 3']));
    await file.close();
  });

  it('takes no more than its bound, and again when there is room', async () => {
    const file = await createFile(pathOf(), 1_000);
    const body = Buffer.alloc(300);
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => file.append(2, body)));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    await expect(file.append(2, body)).rejects.toMatchObject({ code: 'Overloaded' });
    file.forget([...file.records].slice(0, 1));
    await file.append(2, body);
    expect([...file.records]).toHaveLength(3);
    await file.close();
  });

  it('stays small however much passes through it', async () => {
    const file = await createFile(pathOf());
    const kept = await file.append(2, Buffer.from('kept'));
    for (let n = 0; n < 60; n++) {
      const passing = await Promise.all([1, 2, 3, 4].map(() => file.append(2, Buffer.alloc(50_000, n))));
      file.forget(passing);
    }
    const last = await file.append(2, Buffer.from('last'));
    expect((await stat(pathOf())).size).toBeLessThan(1_500_000);
    expect((await contentsOf(pathOf())).texts).toEqual(['kept', 'last']);
    expect([String(await file.read(kept)), String(await file.read(last))]).toEqual(['kept', 'last']);
    file.forget([kept]);
    await file.close();
    expect((await contentsOf(pathOf())).texts).toEqual(['last']);
  });
});

describe('a journal file that was cut or damaged', () => {
  async function written(): Promise<{ readonly bytes: Buffer; readonly ends: readonly number[]; start: number }> {
    const file = await createFile(pathOf());
    const records = [];
    for (const text of texts(8)) records.push(await file.append(2, Buffer.from(text)));
    const ends = records.map(({ offset, bytes }) => offset + bytes);
    const bytes = await readFile(pathOf());
    await file.close();
    return { bytes, ends, start: records[0]?.offset ?? 0 };
  }

  it('gives every whole record, and no other, wherever it was cut', async () => {
    const { bytes, ends } = await written();
    for (let length = 0; length <= bytes.length; length++) {
      const found = contentsIn(bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length).length;
      expect(found.texts).toEqual(texts(whole));
      expect(found.damagedBytes).toBe(0);
      if (whole > 0) expect(found.tornBytes).toBe(length - (ends[whole - 1] ?? 0));
    }
  });

  it('gives all records but the one that was damaged, whichever bit of it was, and says so', async () => {
    const { bytes, ends, start } = await written();
    for (let at = start; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const hit = ends.findIndex((end) => at < end);
      const found = contentsIn(damaged);
      expect(found.texts).toEqual(texts(8).filter((_, n) => n !== hit));
      const lost = (ends[hit] ?? 0) - (ends[hit - 1] ?? start);
      expect(hit === 7 ? found.tornBytes : found.damagedBytes).toBe(lost);
    }
  });

  it('takes nothing for a record that a body makes look like one', async () => {
    const { bytes, start } = await written();
    const other = await createFile(join(folder(), 'other'));
    await other.append(2, Buffer.from('first'));
    await other.append(2, bytes.subarray(start));
    const all = await readFile(join(folder(), 'other'));
    expect(contentsIn(all.subarray(0, -1)).texts).toEqual(['first']);
    await other.close();
  });
});

describe('a journal file whose disk fails', () => {
  it('refuses what has no room, and takes the next', async () => {
    const file = await createFile(pathOf());
    await file.append(2, Buffer.from('before'));
    const methods = await fileMethods();
    vi.spyOn(methods, 'write').mockRejectedValueOnce(systemError('ENOSPC'));
    await expect(file.append(2, Buffer.from('refused'))).rejects.toMatchObject({ code: 'Overloaded' });
    vi.restoreAllMocks();
    await file.append(2, Buffer.from('after'));
    expect(await textsOf(file)).toEqual(['before', 'after']);
    await file.close();
    expect(await contentsOf(pathOf())).toMatchObject({ texts: ['before', 'after'], damagedBytes: 0, tornBytes: 0 });
  });

  it('refuses what it cannot sync, writes the rest anew, and does not bring the refused back', async () => {
    const file = await createFile(pathOf());
    const first = await file.append(2, Buffer.from('before'));
    const methods = await fileMethods();
    vi.spyOn(methods, 'datasync').mockRejectedValueOnce(systemError('EIO'));
    await expect(file.append(2, Buffer.from('refused'))).rejects.toMatchObject({ code: 'Unavailable' });
    expect((await contentsOf(pathOf())).texts).toEqual(['before']);
    await file.append(2, Buffer.from('after'));
    expect(String(await file.read(first))).toBe('before');
    await file.close();
    expect((await contentsOf(pathOf())).texts).toEqual(['before', 'after']);
  });

  it('says that the outcome is unknown where it can do neither, and mends when the disk does', async () => {
    const file = await createFile(pathOf());
    await file.append(2, Buffer.from('before'));
    const methods = await fileMethods();
    vi.spyOn(methods, 'datasync').mockRejectedValue(systemError('EIO'));
    vi.spyOn(methods, 'sync').mockRejectedValue(systemError('EIO'));
    await expect(file.append(2, Buffer.from('unknown'))).rejects.toMatchObject({ code: 'OutcomeUnknown' });
    await expect(file.append(2, Buffer.from('refused'))).rejects.toMatchObject({ code: 'Unavailable' });
    vi.restoreAllMocks();
    await file.append(2, Buffer.from('after'));
    await file.close();
    expect((await contentsOf(pathOf())).texts).toEqual(['before', 'after']);
  });

  it.each([
    ['removed', () => rm(pathOf())],
    ['taken over by another process', () => rename(pathOf(), `${pathOf()}.taken`)],
  ])('that was %s is written again, before anything more is answered', async (_, take) => {
    const file = await createFile(pathOf());
    await file.append(2, Buffer.from('before'));
    await take();
    const after = await file.append(2, Buffer.from('after'));
    expect((await contentsOf(pathOf())).texts).toEqual(['before', 'after']);
    expect(String(await file.read(after))).toBe('after');
    await take();
    await file.attend();
    expect((await contentsOf(pathOf())).texts).toEqual(['before', 'after']);
    await take();
    await file.close();
    expect((await contentsOf(pathOf())).texts).toEqual(['before', 'after']);
  });

  it('does not pass off what the disk changed for what was written', async () => {
    const file = await createFile(pathOf());
    const record = await file.append(2, Buffer.from('before'));
    await truncate(pathOf(), record.offset + 5);
    await expect(file.read(record)).rejects.toMatchObject({ code: 'CorruptState' });
    file.forget([record]);
    await file.close();
  });
});
