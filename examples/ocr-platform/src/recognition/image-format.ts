import { ImageError } from './image-error.js';

/** The image formats that are read. */
export type ImageFormat = 'png' | 'jpeg' | 'tiff' | 'webp';

interface Signature {
  /** Regular expression over the first {@link HEAD_BYTES} bytes, read as Latin-1. */
  readonly pattern: RegExp;
  readonly name: string;
}

const HEAD_BYTES = 512;

const READ: readonly (Signature & { readonly format: ImageFormat })[] = [
  { format: 'png', name: 'PNG', pattern: /^\x89PNG\r\n/ },
  { format: 'jpeg', name: 'JPEG', pattern: /^\xff\xd8\xff/ },
  { format: 'tiff', name: 'TIFF', pattern: /^(?:II[*+]\0|MM\0[*+])/ },
  { format: 'webp', name: 'WebP', pattern: /^RIFF[^]{4}WEBP/ },
];

/** Kinds that people do send. Naming them says more than "not an image". */
const REFUSED: readonly Signature[] = [
  { name: 'GIF', pattern: /^GIF8/ },
  { name: 'PDF', pattern: /%PDF-/ },
  { name: 'BMP', pattern: /^BM[^]{4}\0\0\0\0/ },
  { name: 'HEIC or AVIF', pattern: /^[^]{4}ftyp(?:hei|hev|mif|msf|avi)/ },
  { name: 'JPEG 2000', pattern: /^[^]{4}jP {2}/ },
  { name: 'JPEG XL', pattern: /^[^]{4}JXL / },
  { name: 'SVG', pattern: /^(?:\xef\xbb\xbf)?\s*<(?:svg|\?xml[^]*<svg)/i },
];

/**
 * Tells the format from the first bytes; a file name or a declared media type is never believed. It comes before the
 * decoder, which would otherwise open whatever it knows: SVG with references to other files, PDF, and more.
 *
 * @throws {ImageError} `empty`, `not-an-image` or `unsupported`.
 */
export function imageFormat(bytes: Buffer): ImageFormat {
  if (bytes.length === 0) throw new ImageError('empty', 'The file is empty.');
  const head = bytes.toString('latin1', 0, HEAD_BYTES);
  const found = READ.find(({ pattern }) => pattern.test(head));
  if (found !== undefined) return found.format;
  const refused = REFUSED.find(({ pattern }) => pattern.test(head));
  if (refused === undefined) throw new ImageError('not-an-image', `The file is not an image. ${accepted()}`);
  throw new ImageError('unsupported', `A ${refused.name} file cannot be read. ${accepted()}`);
}

/** The error for bytes of a known format that the decoder gave up on. */
export function damagedImage(format: ImageFormat, cause: unknown): ImageError {
  const name = READ.find((signature) => signature.format === format)?.name ?? format;
  return new ImageError('damaged', `The ${name} image is cut short or corrupt.`, { cause });
}

function accepted(): string {
  return `Send ${READ.map(({ name }) => name)
    .join(', ')
    .replace(/, (?=\w+$)/, ' or ')}.`;
}
