import { describe, expect, it } from 'vitest';
import { declaredSize } from '../../src/codec/zstd-frame.js';
import { loadZstd, nativeZstd, wasmZstd, type Zstd, zstdNow } from '../../src/codec/zstd.js';

const native = nativeZstd();
const implementations: [string, Zstd][] = [['wasm', await wasmZstd()]];
if (native) implementations.push(['node', native]);

const pairs = implementations.flatMap(([from, writer]) =>
  implementations.map(([to, reader]): [string, string, Zstd, Zstd] => [from, to, writer, reader]),
);

function rows(count: number): string {
  return JSON.stringify(Array.from({ length: count }, (_, id) => ({ id, name: `n${id * 7919}` })));
}

function contents(): Buffer[] {
  const noise = Buffer.from(Array.from({ length: 5000 }, (_, index) => Math.imul(index + 1, 0x9e3779b1) >>> 24));
  const lengths = [0, 1, 255, 256, 257, 65_791, 65_792, 2 ** 20];
  return [
    ...lengths.map((length) => Buffer.alloc(length, 'abc')),
    ...[1, 50, 3000].map((count) => Buffer.from(rows(count))),
    noise,
  ];
}

describe.each(pairs)('written by %s, read by %s', (_from, _to, writer, reader) => {
  it('gives the content back, whose size the frame declares', () => {
    for (const content of contents()) {
      const frame = Buffer.from(writer.compress(content));
      expect(declaredSize(frame)).toBe(content.length);
      expect(Buffer.from(reader.decompress(frame, content.length)).equals(content)).toBe(true);
    }
  });
});

describe.each(implementations)('%s', (_, zstd) => {
  it('reads a frame that Node 24 wrote', () => {
    const frame = Buffer.from(
      '28b52ffd20e3fd0000c07b2274657874223a2273686172656420222c226e223a317d010090a2ca12',
      'hex',
    );
    expect(String(Buffer.from(zstd.decompress(frame, 227)))).toBe(JSON.stringify({ text: 'shared '.repeat(30), n: 1 }));
  });

  it('reads a frame that the zstd command wrote, with a checksum', () => {
    const frame = Buffer.from(
      '28b52ffd644507050100c07b2274657874223a2273686172656420222c226e223a317d01005420bf2c018c831b73',
      'hex',
    );
    expect(String(Buffer.from(zstd.decompress(frame, 2117)))).toBe(
      JSON.stringify({ text: 'shared '.repeat(300), n: 1 }),
    );
  });

  it('never gives more than the declared size', () => {
    const frame = Buffer.from(zstd.compress(Buffer.alloc(2000, 'x')));
    const lying = Buffer.from(frame);
    lying.writeUInt16LE(1000 - 256, 5);
    expect(declaredSize(lying)).toBe(1000);
    expect(() => zstd.decompress(lying, 1000)).toThrow();
  });

  it('is not harmed by damaged frames', () => {
    const content = contents()[9] ?? Buffer.alloc(0);
    const frame = Buffer.from(zstd.compress(content));
    for (let at = 7; at < frame.length; at += 3) {
      const damaged = Buffer.from(frame);
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (at % 8)), at);
      try {
        expect(zstd.decompress(damaged, content.length).length).toBeLessThanOrEqual(content.length);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
    expect(Buffer.from(zstd.decompress(frame, content.length)).equals(content)).toBe(true);
  });
});

describe('wasm', () => {
  it('is not disturbed by others who use the package, however often they start it', async () => {
    const ours = await wasmZstd();
    const content = Buffer.from(rows(50));
    const before = ours.compress(content);
    const { init, compress } = await import('@bokuweb/zstd-wasm');
    await init();
    compress(content);
    await init();
    const another = await wasmZstd();
    for (const zstd of [ours, another]) {
      expect(zstd.compress(content)).toStrictEqual(before);
      expect(zstd.decompress(before, content.length)).toStrictEqual(content);
    }
  });

  it('returns what it has compressed and restored in memory of its own', async () => {
    const zstd = await wasmZstd();
    const frame = zstd.compress(Buffer.alloc(3000, 'abc'));
    const content = zstd.decompress(frame, 3000);
    zstd.compress(Buffer.alloc(3000, 'xyz'));
    expect(content).toStrictEqual(Buffer.alloc(3000, 'abc'));
    expect(zstd.decompress(frame, 3000)).toStrictEqual(content);
  });

  it('does not grow with use', async () => {
    const zstd = await wasmZstd();
    const content = Buffer.from(rows(3000));
    const restore = (times: number): void => {
      for (let time = 0; time < times; time++) zstd.decompress(zstd.compress(content), content.length);
    };
    restore(20);
    const before = process.memoryUsage().rss;
    restore(1_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(96 * 2 ** 20);
  });
});

describe('the implementation of this process', () => {
  it('is that of Node where there is one, and else loaded once', async () => {
    expect(zstdNow() === undefined).toBe(native === undefined);
    const [first, second] = await Promise.all([loadZstd(), loadZstd()]);
    expect(first).toBe(second);
    expect(zstdNow()).toBe(first);
  });
});
