import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ChunkStore } from '../../src/files/chunk-store.js';
import { temporaryDirectory } from '../directories.js';

const bytes = Buffer.from('0123456789');
const part = (first: number, last: number): Readable => Readable.from([bytes.subarray(first, last + 1)]);

async function openStore(): Promise<{ store: ChunkStore; incoming: string }> {
  const directory = await temporaryDirectory();
  return { store: new ChunkStore(directory), incoming: join(directory, 'incoming') };
}

describe('the chunk store', () => {
  it('joins chunks that came out of order, twice and overlapping', async () => {
    const { store, incoming } = await openStore();
    for (const [first, last] of [
      [6, 9],
      [0, 3],
      [0, 3],
      [2, 7],
    ] as const)
      await store.receive('a', [first, last], part(first, last));
    const { id, path } = await store.join('a', 10);
    expect(id).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await readFile(path)).toEqual(bytes);
    await store.remove('a');
    expect(await readdir(incoming)).toHaveLength(1);
  });

  it('keeps the first of two chunks of one range, and refuses other bytes', async () => {
    const { store, incoming } = await openStore();
    await store.receive('a', [0, 2], Readable.from([Buffer.from('abc')]));
    await expect(store.receive('a', [0, 2], Readable.from([Buffer.from('xyz')]))).rejects.toThrow(/came before/);
    expect(await readFile(join(incoming, 'a', '0-2'), 'utf8')).toBe('abc');
  });

  it.each([
    ['shorter', 'ab', /3 bytes; 2 came/],
    ['longer', 'abcd', /3 bytes; more came/],
  ])('refuses a chunk that is %s than its range, and leaves nothing of it', async (_name, content, message) => {
    const { store, incoming } = await openStore();
    await expect(store.receive('a', [0, 2], Readable.from([Buffer.from(content)]))).rejects.toThrow(message);
    expect(await readdir(join(incoming, 'a'))).toEqual([]);
  });

  it('leaves nothing of a stream that broke', async () => {
    const { store, incoming } = await openStore();
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('a');
        throw new Error('broken');
      })(),
    );
    await expect(store.receive('a', [0, 2], broken)).rejects.toThrow('broken');
    expect(await readdir(join(incoming, 'a'))).toEqual([]);
  });

  it('says which byte is not here, and leaves no half file', async () => {
    const { store, incoming } = await openStore();
    await store.receive('a', [0, 2], part(0, 2));
    await store.receive('a', [5, 9], part(5, 9));
    await expect(store.join('a', 10)).rejects.toThrow(/Byte 3 .* DATA_DIR/);
    await expect(store.join('b', 10)).rejects.toThrow(/Byte 0/);
    expect(await readdir(incoming)).toEqual(['a']);
  });

  it('clears away what nobody touched, and nothing younger', async () => {
    const { store, incoming } = await openStore();
    await mkdir(join(incoming, 'old'), { recursive: true });
    await writeFile(join(incoming, 'old', '0-1'), 'ab');
    const hourAgo = new Date(Date.now() - 3_700_000);
    await utimes(join(incoming, 'old'), hourAgo, hourAgo);
    await store.receive('young', [0, 2], part(0, 2));
    await store.removeAbandoned(3_600_000);
    expect(await readdir(incoming)).toEqual(['young']);
  });
});
