import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createCodec } from '../../src/codec/codec.js';
import { loadZstd, nativeZstd } from '../../src/codec/zstd.js';
import { storedBytes } from './stored-bytes.js';
import { thrownBy } from './thrown.js';

const codec = createCodec();
const plain = createCodec({ compress: false });
const mebibyte = 2 ** 20;

/** A compressed value, in a frame that Node 24 wrote. */
const value = { text: 'shared '.repeat(30), n: 1 };
const storedValue = Buffer.from(
  '0328b52ffd20e3fd0000c07b2274657874223a2273686172656420222c226e223a317d010090a2ca12',
  'hex',
);

/**
 * A compressed value made of blocks that repeat one byte 128 KiB times, 4 bytes each: what a bomb is made of.
 * `declares` is the size it declares, or undefined for none.
 */
function bomb(declares: number | undefined, blocks: number, lastBlockBytes = 2 ** 17): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(declares ?? 0));
  const window2MiB = Buffer.of(0x58);
  const header =
    declares === undefined
      ? Buffer.concat([Buffer.of(0x00), window2MiB])
      : Buffer.concat([Buffer.of(0xc0), window2MiB, size]);
  const body = Buffer.alloc(blocks * 4);
  for (let block = 0; block < blocks; block++) {
    const last = block === blocks - 1;
    body.writeUIntLE((last ? 1 : 0) | (1 << 1) | ((last ? lastBlockBytes : 2 ** 17) << 3), block * 4, 3);
    body.writeUInt8(0x20, block * 4 + 3);
  }
  return Buffer.concat([Buffer.from('0328b52ffd', 'hex'), header, body]);
}

describe('before the library is loaded', () => {
  it('writes uncompressed, reads by a promise, then does neither', async () => {
    const loaded = nativeZstd() !== undefined;
    const text = 'shared '.repeat(1000);
    expect(typeof codec.encode(text, 'test')).toBe(loaded ? 'object' : 'string');
    const reading = codec.decode(storedValue, 'test');
    expect(reading instanceof Promise).toBe(!loaded);
    expect(await reading).toStrictEqual(value);
    expect(codec.decode(storedValue, 'test')).toStrictEqual(value);
    expect(typeof codec.encode(text, 'test')).toBe('object');
  });

  it('starts to load it, so that later values are compressed', async () => {
    vi.resetModules();
    const fresh = (await import('../../src/codec/codec.js')).createCodec();
    const text = 'shared '.repeat(1000);
    await vi.waitFor(() => expect(typeof fresh.encode(text, 'test')).toBe('object'));
  });

  it('rejects late what is damaged inside', async () => {
    vi.resetModules();
    const { createCodec: createFresh } = await import('../../src/codec/codec.js');
    const damaged = Buffer.from(storedValue);
    damaged.fill(0xff, 12);
    const reading = (async () => await createFresh().decode(damaged, 'map m, key x'))();
    await expect(reading).rejects.toMatchObject({
      code: 'CorruptState',
      message: 'map m, key x holds something else: its compressed part is damaged',
    });
  });
});

describe('without the library', () => {
  it('writes uncompressed and says on reading what is missing', async () => {
    vi.resetModules();
    vi.doMock('../../src/codec/zstd-wasm.js', () => ({
      WasmZstd: { load: () => Promise.reject(new Error('Cannot find module')) },
    }));
    try {
      const fresh = (await import('../../src/codec/codec.js')).createCodec();
      const stored = fresh.encode('shared '.repeat(1000), 'test');
      const reading = (async () => await fresh.decode(storedValue, 'test'))();
      if (nativeZstd()) {
        expect(await reading).toStrictEqual(value);
        return;
      }
      expect(typeof stored).toBe('string');
      await expect(reading).rejects.toMatchObject({
        code: 'MissingDependency',
        message: '@bokuweb/zstd-wasm is not installed, and a compressed value needs it',
      });
      expect(typeof fresh.encode('shared '.repeat(1000), 'test')).toBe('string');
    } finally {
      vi.doUnmock('../../src/codec/zstd-wasm.js');
    }
  });
});

describe('compression', () => {
  beforeAll(async () => {
    await loadZstd();
  });

  it('begins above 1 KiB', () => {
    expect(codec.encode('x'.repeat(1022), 'test')).toBe(`"${'x'.repeat(1022)}"`);
    const compressed = storedBytes(codec.encode('x'.repeat(1023), 'test'));
    expect(compressed.subarray(0, 5)).toStrictEqual(Buffer.from('0328b52ffd', 'hex'));
    expect(compressed.length).toBeLessThan(64);
  });

  it('is left out where it saves less than 15 %', () => {
    expect(codec.encode(randomBytes(5000), 'test').length).toBe(5001);
    expect(typeof codec.encode(randomBytes(5000).toString('base64'), 'test')).toBe('object');
    const mostlyNoise = Buffer.concat([randomBytes(4500), Buffer.alloc(500)]);
    expect(codec.encode(mostlyNoise, 'test').length).toBe(5001);
  });

  it('is left out on request, and read all the same', () => {
    const text = 'x'.repeat(5000);
    expect(plain.encode(text, 'test')).toBe(`"${text}"`);
    expect(plain.decode(codec.encode(text, 'test'), 'test')).toBe(text);
  });

  it.each<[string, unknown]>([
    ['text', { rows: Array.from({ length: 200 }, (_, id) => ({ id, name: 'Ada' })) }],
    ['text beyond ASCII', 'žluťoučký kůň '.repeat(200)],
    ['bytes', Buffer.alloc(5000, 'abc')],
    ['tagged text', { at: new Date(0), list: Array(500).fill(1n) }],
    ['typed arrays', { embedding: new Float32Array(1000).fill(0.5), at: new Date(0) }],
    ['the largest value', 'x'.repeat(mebibyte - 2)],
  ])('takes any form: %s', (_, given) => {
    const stored = storedBytes(codec.encode(given, 'test'));
    expect(stored[0]).toBe(3);
    expect(codec.decode(stored, 'test')).toStrictEqual(given);
  });
});

describe('decompression', () => {
  beforeAll(async () => {
    await loadZstd();
  });

  it.each<[string, Buffer, string]>([
    ['a bomb that declares 256 MiB', bomb(2 ** 28, 2048), 'ValueTooLarge'],
    ['a bomb that declares 2^63', bomb(2 ** 63, 2048), 'ValueTooLarge'],
    ['one byte more than allowed', bomb(mebibyte + 1, 9, 1), 'ValueTooLarge'],
    ['a bomb that declares 1000 bytes', bomb(1000, 2048), 'CorruptState'],
    ['a bomb that declares what is allowed', bomb(mebibyte, 2048), 'CorruptState'],
    ['a bomb that declares nothing', bomb(undefined, 2048), 'CorruptState'],
    ['a frame that holds less than it declares', bomb(mebibyte, 1), 'CorruptState'],
    ['a frame of nothing', bomb(0, 1, 0), 'CorruptState'],
    ['no frame', Buffer.of(3), 'CorruptState'],
    ['another format', Buffer.from('031f8b0800000000000003', 'hex'), 'CorruptState'],
    ['a torn frame', storedValue.subarray(0, -5), 'CorruptState'],
    ['two frames', Buffer.concat([storedValue, storedValue.subarray(1)]), 'CorruptState'],
    ['a frame and more', Buffer.concat([storedValue, Buffer.from('more')]), 'CorruptState'],
    [
      'a frame that asks for a dictionary',
      Buffer.concat([Buffer.from('0328b52ffd2107e3', 'hex'), storedValue.subarray(7)]),
      'CorruptState',
    ],
  ])('refuses %s, soon and without memory', (_, stored, code) => {
    const before = process.memoryUsage();
    const startedAtMs = performance.now();
    const error = thrownBy(() => codec.decode(stored, 'map m, key x'));
    expect(performance.now() - startedAtMs).toBeLessThan(250);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(16 * mebibyte);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^map m, key x (exceeds 1048576 bytes|holds something else: )/);
  });

  it('takes a frame of blocks with exactly the size it declares', () => {
    const spaces = bomb(2 ** 18, 2);
    expect(thrownBy(() => codec.decode(spaces, 'test')).message).toContain('its text is not JSON');
    expect(thrownBy(() => createCodec({ maxValueBytes: 2 ** 18 }).decode(spaces, 'test')).code).toBe('CorruptState');
    expect(thrownBy(() => createCodec({ maxValueBytes: 2 ** 18 - 1 }).decode(spaces, 'test')).code).toBe(
      'ValueTooLarge',
    );
  });

  it('refuses a compressed value inside a compressed value', () => {
    const inner = storedBytes(codec.encode(randomBytes(3000).toString('hex'), 'test'));
    expect(inner[0]).toBe(3);
    const twice = nest(inner);
    expect(thrownBy(() => codec.decode(twice, 'map m, key x'))).toMatchObject({
      code: 'CorruptState',
      message: 'map m, key x holds something else: it is compressed twice',
    });
  });

  it('reports an unknown form inside as such', () => {
    expect(thrownBy(() => codec.decode(nest(Buffer.of(0x1f)), 'test')).code).toBe('UnknownForm');
    expect(thrownBy(() => codec.decode(nest(Buffer.of(0x04)), 'test')).code).toBe('UnknownForm');
  });
});

/** A compressed value whose content is `content`, in one uncompressed block. */
function nest(content: Buffer): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt32LE(content.length, 0);
  header.writeUIntLE(1 | (content.length << 3), 4, 3);
  return Buffer.concat([Buffer.from('0328b52ffda0', 'hex'), header, content]);
}
