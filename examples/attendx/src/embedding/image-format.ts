/** Why an image is refused: the wrong kind of file (HTTP 415), or the right kind that cannot be read (422). */
export type ImageErrorKind = 'unsupported' | 'unreadable';

/** An image that cannot be read. `message` is a sentence or two that may be shown to whoever sent it. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly kind: ImageErrorKind;

  constructor(kind: ImageErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

const signatures = [/^\x89PNG\r\n/, /^\xff\xd8\xff/, /^RIFF[^]{4}WEBP/];

/**
 * Looks at the first bytes; a file name or a declared media type is never believed. It comes before the decoder, which
 * would otherwise open whatever it knows, such as SVG with references to other files.
 *
 * @throws {ImageError} `unsupported` for anything but PNG, JPEG and WebP.
 */
export function refuseOtherFormats(bytes: Buffer): void {
  const head = bytes.toString('latin1', 0, 16);
  if (signatures.some((signature) => signature.test(head))) return;
  const what = bytes.length === 0 ? 'The file is empty.' : 'The file is no image of a known kind.';
  throw new ImageError('unsupported', `${what} Send PNG, JPEG or WebP.`);
}
