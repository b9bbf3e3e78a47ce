import { CorruptStateError } from '../errors.js';
import { zstdForm } from './forms.js';
import { type Limits, tooLarge } from './limits.js';
import type { Stored } from './stored.js';
import { loadZstd, type Zstd, zstdNow } from './zstd.js';
import { declaredSize } from './zstd-frame.js';

/** Below this a frame saves less than its time is worth. For text, counted in characters. */
const compressedAbove = 1024;

/** The largest part of the original that a frame may be: what saves less costs every reader more than it gains. */
const worthwhileShare = 0.85;

/** `form` compressed where that pays, or `form` itself. Never waits: until the library is loaded nothing is compressed. */
export function compressed(form: Stored): Stored {
  if (form.length <= compressedAbove) return form;
  const zstd = zstdNow();
  if (zstd) return smaller(zstd, form);
  // A failure to load is told to whoever reads a compressed value; writing goes on without.
  loadZstd().catch(() => undefined);
  return form;
}

function smaller(zstd: Zstd, form: Stored): Stored {
  const bytes = typeof form === 'string' ? Buffer.from(form) : form;
  const frame = zstd.compress(bytes);
  if (frame.byteLength + 1 > bytes.length * worthwhileShare) return form;
  return Buffer.concat([Buffer.of(zstdForm), frame]);
}

/**
 * The form inside a Zstandard frame; a promise of it only where the library must be loaded first.
 *
 * @throws ValueTooLargeError where the frame declares more than is allowed, before anything is allocated.
 * @throws CorruptStateError where it declares nothing, or what it declares is not true.
 */
export function decompressed(frame: Buffer, what: string, limits: Limits): Buffer | Promise<Buffer> {
  const size = declaredSize(frame);
  if (size === undefined) throw new CorruptStateError(what, 'its compressed part declares no size');
  if (size > limits.maxValueBytes) throw tooLarge(what, limits);
  const zstd = zstdNow();
  if (zstd) return content(zstd, frame, size, what);
  return loadZstd().then((loaded) => content(loaded, frame, size, what));
}

function content(zstd: Zstd, frame: Buffer, size: number, what: string): Buffer {
  const bytes = attempt(zstd, frame, size);
  if (bytes?.byteLength !== size) throw new CorruptStateError(what, 'its compressed part is damaged');
  return Buffer.from(bytes.buffer, bytes.byteOffset, size);
}

function attempt(zstd: Zstd, frame: Buffer, size: number): Uint8Array | undefined {
  try {
    return zstd.decompress(frame, size);
  } catch {
    return undefined;
  }
}
