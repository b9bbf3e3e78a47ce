import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * What we use of the WebAssembly module in @bokuweb/zstd-wasm, under the names that its build gave them. They hold for
 * the one version that package.json asks for; {@link checked} finds out where another one was installed.
 */
interface Exports {
  readonly f: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** Runs once, before anything else. */
  readonly g: () => void;
  /** ZSTD_isError: not 0 for a result that is an error. */
  readonly h: (result: number) => number;
  /** ZSTD_compressBound. */
  readonly i: (bytes: number) => number;
  /** ZSTD_createCCtx. */
  readonly j: () => number;
  /** ZSTD_compress_usingDict: context, target, its capacity, source, its length, dictionary, its length, level. */
  readonly l: (
    context: number,
    to: number,
    room: number,
    from: number,
    bytes: number,
    no: 0,
    none: 0,
    level: number,
  ) => number;
  /** ZSTD_decompress: target, its capacity, source, its length. */
  readonly r: (to: number, room: number, from: number, bytes: number) => number;
  /** malloc. */
  readonly s: (bytes: number) => number;
  /** free. */
  readonly t: (address: number) => void;
}

declare const WebAssembly: {
  instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }>;
};

const pageBytes = 65_536;

/**
 * Zstandard in WebAssembly. Loading takes some 5 ms.
 *
 * The package's own JavaScript is not used: it keeps one instance for the process, and a second `init`, by whomever,
 * leaves it writing into one memory and compressing from another. This instance is ours alone.
 */
export class WasmZstd {
  readonly #exports: Exports;
  /** Kept from call to call: a new one costs as much as compressing 1 KiB. */
  readonly #context: number;

  private constructor(exports: Exports) {
    this.#exports = exports;
    exports.g();
    this.#context = exports.j();
  }

  /** Rejects where the package is absent or not what it must be. */
  static async load(): Promise<WasmZstd> {
    const packageFile = createRequire(import.meta.url).resolve('@bokuweb/zstd-wasm');
    const code = await readFile(join(dirname(packageFile), 'zstd.wasm'));
    const { instance } = await WebAssembly.instantiate(code, { a: imports(() => exports.f) });
    const exports = instance.exports as Exports;
    return checked(new WasmZstd(exports));
  }

  /** One frame, which declares the size of its content. */
  compress(bytes: Uint8Array, level: number): Buffer {
    const { i: bound, l: compress } = this.#exports;
    const room = bound(bytes.byteLength);
    return this.#run(bytes, room, (to, from) => compress(this.#context, to, room, from, bytes.byteLength, 0, 0, level));
  }

  /** The content of a frame that holds `size` bytes at most. Throws where it is damaged or holds more. */
  decompress(frame: Uint8Array, size: number): Buffer {
    return this.#run(frame, size, (to, from) => this.#exports.r(to, size, from, frame.byteLength));
  }

  /** Calls `work` with the addresses of `room` bytes and of a copy of `input`; it says how many bytes it wrote. */
  #run(input: Uint8Array, room: number, work: (to: number, from: number) => number): Buffer {
    const { h: isError, s: allocate, t: free } = this.#exports;
    const to = allocate(room);
    const from = allocate(input.byteLength);
    try {
      if (to === 0 || from === 0) throw new Error('zstd: out of memory');
      // The memory is looked up each time: growing replaces its buffer.
      new Uint8Array(this.#exports.f.buffer, from, input.byteLength).set(input);
      const result = work(to, from);
      if (isError(result) !== 0) throw new Error(`zstd: error ${result}`);
      return Buffer.from(new Uint8Array(this.#exports.f.buffer, to, result));
    } finally {
      free(to);
      free(from);
    }
  }
}

/** What the module asks of its surroundings: to grow its memory; the rest is never called in our use. */
function imports(memory: () => Exports['f']): object {
  return {
    a: (status: number) => {
      throw new Error(`zstd: exit ${status}`);
    },
    b: () => undefined,
    c: () => {
      throw new Error('zstd: aborted');
    },
    d: () => 0,
    e: (bytes: number) => grow(memory(), bytes >>> 0),
  };
}

/** 1 where the memory now has `bytes`, 0 where it cannot. */
function grow(memory: Exports['f'], bytes: number): number {
  try {
    memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / pageBytes));
    return 1;
  } catch {
    return 0;
  }
}

/** `zstd`, after it has compressed and restored a sample. */
function checked(zstd: WasmZstd): WasmZstd {
  const sample = Buffer.from('commonhold '.repeat(20));
  if (zstd.decompress(zstd.compress(sample, 1), sample.length).equals(sample)) return zstd;
  throw new Error('@bokuweb/zstd-wasm: not the version that is needed');
}
