import * as zlib from 'node:zlib';
import { MissingDependencyError } from '../errors.js';

/** One implementation of Zstandard. Both write and read the same frames. */
export interface Zstd {
  /** One frame, which declares the size of its content. */
  compress(bytes: Uint8Array): Uint8Array;
  /** The content, of which the frame declares `size` bytes. Throws where it is damaged or longer. */
  decompress(frame: Uint8Array, size: number): Uint8Array;
}

/** Fastest for text of a few KiB in both implementations; higher levels gained nothing on JSON of that size. */
const level = 1;

/** The part of node:zlib that Node has from 22.15 on, which the types of Node 20 do not know. */
interface NodeZstd {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  readonly zstdDecompressSync?: (frame: Uint8Array, options: object) => Decompressed;
}

/** What Node answers when it is asked for `info`: `bytesWritten` is how much of the input it used. */
interface Decompressed {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** The parameter that node:zlib calls `constants.ZSTD_c_compressionLevel`. */
const levelParameter = 100;

/** The implementation of Node itself, where it has one. */
export function nativeZstd(): Zstd | undefined {
  const { zstdCompressSync, zstdDecompressSync }: typeof zlib & NodeZstd = zlib;
  if (!zstdCompressSync || !zstdDecompressSync) return undefined;
  return {
    compress: (bytes) =>
      zstdCompressSync(bytes, { params: { [levelParameter]: level }, pledgedSrcSize: bytes.byteLength }),
    decompress: (frame, size) => {
      const options = { maxOutputLength: Math.max(size, 1), chunkSize: Math.max(size, 64), info: true };
      const { buffer, engine } = zstdDecompressSync(frame, options);
      // Some versions of Node pass over what follows a frame.
      if (engine.bytesWritten !== frame.byteLength) throw new Error('bytes follow the frame');
      return buffer;
    },
  };
}

/** The implementation in WebAssembly, for Node without its own. */
export async function wasmZstd(): Promise<Zstd> {
  const { WasmZstd } = await import('./zstd-wasm.js');
  const wasm = await WasmZstd.load();
  return {
    compress: (bytes) => wasm.compress(bytes, level),
    decompress: (frame, size) => wasm.decompress(frame, size),
  };
}

let available = nativeZstd();
let loading: Promise<Zstd> | undefined;

/** The implementation of this process, or undefined while none is loaded. */
export function zstdNow(): Zstd | undefined {
  return available;
}

/**
 * The implementation of this process, loaded if it must be.
 *
 * @throws MissingDependencyError where Node has none and the package is not installed.
 */
export function loadZstd(): Promise<Zstd> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Zstd> {
  try {
    available ??= await wasmZstd();
    return available;
  } catch (cause) {
    throw new MissingDependencyError('@bokuweb/zstd-wasm', 'a compressed value', { cause });
  }
}
