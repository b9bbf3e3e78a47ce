import { readFile } from 'node:fs/promises';
import sharp, { type Metadata } from 'sharp';
import { IMAGE_LIMITS, ImageError } from './image-error.js';
import { damagedImage, imageFormat, type ImageFormat } from './image-format.js';

/** What is known of an image that can be read. */
export interface ImageFacts {
  readonly format: ImageFormat;
  /** Pixels across the first page, as displayed (turned as its EXIF tag says). */
  readonly width: number;
  /** Pixels down the first page, as displayed. */
  readonly height: number;
  /** Pages of a TIFF file; 1 for the other formats (of an animation the first frame counts). */
  readonly pages: number;
}

/**
 * Says whether an image can be read, and what it is. The limits are checked against the headers first; then every page
 * is decoded once, since only that finds a file that was cut short on its way.
 *
 * All of it happens off the event loop. Measured for an A4 page at 300 dots an inch (8.7 million pixels, 2 cores):
 * 7 to 35 ms in the baseline formats and WebP, 50 to 90 ms for progressive JPEG and interlaced PNG.
 *
 * @param file The bytes, or the path of a file. A path that cannot be read rejects with the file system's error.
 * @throws {ImageError} With its `kind` for anything that is wrong with the image.
 */
export async function inspectImage(file: Buffer | string): Promise<ImageFacts> {
  const bytes = typeof file === 'string' ? await readFile(file) : file;
  const facts = await readFacts(bytes);
  for (let page = 0; page < facts.pages; page++) await decodeOnce(bytes, facts.format, page);
  return facts;
}

/**
 * The cheap half of {@link inspectImage}: format, size and limits from the headers, nothing decoded.
 *
 * @throws {ImageError} As {@link inspectImage}, except that damage behind the headers is not found.
 */
export async function readFacts(bytes: Buffer): Promise<ImageFacts> {
  const format = imageFormat(bytes);
  const first = await readHeader(bytes, format, 0);
  const pages = format === 'tiff' ? (first.pages ?? 1) : 1;
  await refuseTooLarge(bytes, format, first, pages);
  const { width, height } = first.autoOrient;
  return { format, width, height, pages };
}

async function refuseTooLarge(bytes: Buffer, format: ImageFormat, first: Metadata, pages: number): Promise<void> {
  if (pages > IMAGE_LIMITS.pages) {
    throw new ImageError('too-many-pages', `The file has ${pages} pages; at most ${IMAGE_LIMITS.pages} are read.`);
  }
  let total = 0;
  for (let page = 0; page < pages; page++) {
    const { width, height } = page === 0 ? first : await readHeader(bytes, format, page);
    total += refusePixels(width * height, IMAGE_LIMITS.pixelsPerPage, `Page ${page + 1}`);
  }
  refusePixels(total, IMAGE_LIMITS.pixels, 'The file');
}

function refusePixels(pixels: number, limit: number, subject: string): number {
  if (pixels <= limit) return pixels;
  const millions = (pixels / 1e6).toFixed(1);
  throw new ImageError(
    'too-many-pixels',
    `${subject} has ${millions} million pixels; at most ${limit / 1e6} are read.`,
  );
}

/** Header only: no pixel is decoded, so the pixel limit is ours to apply afterwards, with our own message. */
async function readHeader(bytes: Buffer, format: ImageFormat, page: number): Promise<Metadata> {
  const header = await sharp(bytes, { page, limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw damagedImage(format, cause);
    });
  if (header.channels <= 4) return header;
  throw new ImageError('unsupported', `An image with ${header.channels} channels cannot be read; send grey or colour.`);
}

/**
 * Shrinking to a few pixels reads every row but keeps none, which is three to ten times cheaper than raw output or
 * statistics. `error` rather than `truncated`: a JPEG strip cut inside a TIFF is reported at that level only.
 */
async function decodeOnce(bytes: Buffer, format: ImageFormat, page: number): Promise<void> {
  await sharp(bytes, { page, failOn: 'error', limitInputPixels: IMAGE_LIMITS.pixelsPerPage })
    .resize(32, 32, { fit: 'fill' })
    .raw()
    .toBuffer()
    .catch((cause: unknown) => {
      throw damagedImage(format, cause);
    });
}
