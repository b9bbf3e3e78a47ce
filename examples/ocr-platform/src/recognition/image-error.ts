/**
 * Why an image was refused.
 *
 * - `empty`: the file has no bytes.
 * - `not-an-image`: the first bytes are those of no image format.
 * - `unsupported`: a known kind of file, but not PNG, JPEG, TIFF or WebP.
 * - `damaged`: the right kind of file, but cut short or corrupt.
 * - `too-many-pixels`, `too-many-pages`: readable, but beyond the limits of {@link IMAGE_LIMITS}.
 *
 * The first three are the wrong kind of file (HTTP 415), the rest are well formed at first sight and refused (422).
 */
export type ImageErrorKind =
  | 'empty'
  | 'not-an-image'
  | 'unsupported'
  | 'damaged'
  | 'too-many-pixels'
  | 'too-many-pages';

/** An image that cannot be read. `message` is one sentence that may be shown to the person who sent it. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly kind: ImageErrorKind;

  constructor(kind: ImageErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What is read at most. Pixels are counted from the headers, before anything is decoded. */
export const IMAGE_LIMITS: {
  /** Pixels of one page: an A4 page at 600 dots an inch has 35 million. */
  readonly pixelsPerPage: number;
  /** Pixels of all pages together: 23 A4 pages at 300 dots an inch. */
  readonly pixels: number;
  /** Pages of one TIFF file. */
  readonly pages: number;
} = Object.freeze({ pixelsPerPage: 40_000_000, pixels: 200_000_000, pages: 100 });
