import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { IMAGE_LIMITS, ImageError } from '../../src/recognition/image-error.js';
import { inspectImage } from '../../src/recognition/inspect-image.js';
import { renderPage } from '../../src/recognition/page-image.js';
import { blankPng, claimingTiff } from './made-images.js';
import { collected, fixture, PHOTOTEST, tiffOf } from './samples.js';

const HELLO = fixture('HelloGoogle.tif');

const encodings: Record<string, (image: Sharp) => Sharp> = {
  png: (image) => image.png(),
  'interlaced png': (image) => image.png({ progressive: true }),
  jpeg: (image) => image.jpeg(),
  'progressive jpeg': (image) => image.jpeg({ progressive: true }),
  webp: (image) => image.webp(),
  'lossless webp': (image) => image.webp({ lossless: true }),
  tiff: (image) => image.tiff({ compression: 'none' }),
  'tiff in tiles': (image) => image.tiff({ tile: true, compression: 'lzw' }),
  'deflated tiff': (image) => image.tiff({ compression: 'deflate' }),
  'tiff of jpeg strips': (image) => image.tiff({ compression: 'jpeg' }),
  'CCITT G4 tiff': (image) =>
    image.greyscale().threshold().toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }),
};

async function encoded(name: string): Promise<Buffer> {
  const encode = encodings[name];
  if (encode === undefined) throw new Error(`no encoding ${name}`);
  return encode(sharp(PHOTOTEST)).toBuffer();
}

async function kindOf(file: Buffer | string): Promise<string> {
  const error: unknown = await inspectImage(file).catch((reason: unknown) => reason);
  return error instanceof ImageError ? error.kind : `not refused: ${JSON.stringify(error)}`;
}

describe('an image that can be read', () => {
  it.each(Object.keys(encodings))('%s', async (name) => {
    const format = /png|jpeg(?! strips)|webp|tiff/.exec(name)?.[0];
    expect(await inspectImage(await encoded(name))).toEqual({ format, width: 640, height: 480, pages: 1 });
  });

  it('comes as bytes or as a path', async () => {
    expect(await inspectImage(HELLO)).toEqual({ format: 'tiff', width: 400, height: 200, pages: 1 });
  });

  it('counts the pages of a TIFF file', async () => {
    expect(await inspectImage(await tiffOf(HELLO, PHOTOTEST, HELLO))).toMatchObject({ format: 'tiff', pages: 3 });
  });

  it('has its size as displayed', async () => {
    const image = await sharp(PHOTOTEST).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await inspectImage(image)).toMatchObject({ width: 480, height: 640 });
  });

  it('of an animation takes the first frame', async () => {
    const frames = await Promise.all([1, 2].map(async (blur) => sharp(PHOTOTEST).blur(blur).png().toBuffer()));
    const image = await sharp(frames, { join: { animated: true } })
      .webp()
      .toBuffer();
    expect(await inspectImage(image)).toEqual({ format: 'webp', width: 640, height: 480, pages: 1 });
  });

  it.for(['phototest.tif', 'eurotext.tif', 'phototest-rotated-180.png'])('%s as scanned', async (name, context) => {
    expect(await inspectImage(collected(name, context))).toMatchObject({ pages: 1 });
  });
});

describe('the wrong kind of file', () => {
  it('without bytes is empty', async () => {
    expect(await kindOf(Buffer.alloc(0))).toBe('empty');
  });

  it('is told by its bytes and not by its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
    const path = join(folder, 'notes.png');
    await writeFile(path, 'These are my notes.\n');
    expect(await kindOf(path)).toBe('not-an-image');
    await rm(folder, { recursive: true });
  });

  it.each([
    ['text', 'BMW and II and MM and RIFF and GIF'],
    ['HTML', '<!doctype html><p>Hello'],
    ['JSON', '{"image":"png"}'],
    ['one byte', '\x89'],
    ['a sound', 'RIFF\x24\0\0\0WAVEfmt '],
    ['a film', '\0\0\0\x20ftypisom'],
  ])('%s is not an image', async (_, head) => {
    expect(await kindOf(Buffer.from(head, 'latin1'))).toBe('not-an-image');
  });

  it.each([
    ['GIF', 'GIF89a\x01\0\x01\0'],
    ['PDF', '%PDF-1.7\n'],
    ['BMP', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['SVG', '<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['SVG', '\xef\xbb\xbf\n<svg/>'],
    ['HEIC or AVIF', '\0\0\0\x20ftypavif'],
    ['HEIC or AVIF', '\0\0\0\x18ftypheic'],
    ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
  ])('%s is named in the refusal', async (name, head) => {
    const bytes = Buffer.from(head, 'latin1');
    expect(await kindOf(bytes)).toBe('unsupported');
    await expect(inspectImage(bytes)).rejects.toThrow(`A ${name} file cannot be read. Send PNG, JPEG, TIFF or WebP.`);
  });

  it('a real GIF, which the decoder itself could read', async () => {
    expect(await kindOf(await sharp(PHOTOTEST).gif().toBuffer())).toBe('unsupported');
  });
});

describe('a damaged image', () => {
  const shares = [0.001, 0.3, 0.5, 0.9];
  const cases = Object.keys(encodings).flatMap((name) => shares.map((share) => [name, share] as const));

  it.each(cases)('%s cut after %d of its length', async (name, share) => {
    const whole = await encoded(name);
    const length = Math.max(12, Math.floor(whole.length * share));
    expect(await kindOf(whole.subarray(0, length))).toBe('damaged');
  });

  it('says so in a sentence, and keeps the cause', async () => {
    const whole = await encoded('jpeg');
    const error: unknown = await inspectImage(whole.subarray(0, 5000)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: 'The JPEG image is cut short or corrupt.', cause: expect.any(Error) });
  });

  it('on the last page of several', async () => {
    const whole = await tiffOf(HELLO, PHOTOTEST);
    expect(await kindOf(whole)).toContain('not refused');
    // The pixels of the second page lie behind those of the first.
    const hurt = Buffer.from(whole).fill(0, Math.floor(whole.length * 0.6), Math.floor(whole.length * 0.8));
    expect(await kindOf(hurt)).toBe('damaged');
  });
});

describe('a bomb', () => {
  it('of 50,000 by 50,000 pixels is refused without being decoded', async () => {
    const bomb = blankPng(50_000, 50_000);
    expect(bomb.length).toBeLessThan(20_000_000);
    const startedAtMs = performance.now();
    await expect(inspectImage(bomb)).rejects.toMatchObject({
      kind: 'too-many-pixels',
      message: 'Page 1 has 2500.0 million pixels; at most 40 are read.',
    });
    // Decoding it takes seconds.
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });

  it('is told from an image of just the size allowed', async () => {
    const side = Math.floor(Math.sqrt(IMAGE_LIMITS.pixelsPerPage));
    expect(await inspectImage(blankPng(side, side))).toMatchObject({ width: side });
    expect(await kindOf(blankPng(side + 1, side + 1))).toBe('too-many-pixels');
  });

  it('of several pages is counted over all of them', async () => {
    await expect(inspectImage(claimingTiff(6, 6000, 6000))).rejects.toMatchObject({
      kind: 'too-many-pixels',
      message: 'The file has 216.0 million pixels; at most 200 are read.',
    });
  });

  it('of very many pages', async () => {
    expect(await inspectImage(claimingTiff(IMAGE_LIMITS.pages, 1, 1))).toMatchObject({ pages: IMAGE_LIMITS.pages });
    expect(await kindOf(claimingTiff(IMAGE_LIMITS.pages + 1, 1, 1))).toBe('too-many-pages');
    expect(await kindOf(claimingTiff(100_000, 1, 1))).toBe('too-many-pages');
  });

  it('whose pages go round in a circle', async () => {
    const circle = claimingTiff(3, 1, 1);
    circle.writeUInt32LE(8, circle.length - 1 - 4);
    expect(await inspectImage(circle)).toMatchObject({ pages: 3 });
  });
});

describe('any bytes at all', () => {
  it.each(['png', 'progressive jpeg', 'webp', 'deflated tiff', 'CCITT G4 tiff'])(
    '%s with a few of them changed is refused, or can be rendered',
    async (name) => {
      const whole = await encodings[name]?.(sharp(HELLO).resize(100)).toBuffer();
      if (whole === undefined) throw new Error(`no encoding ${name}`);
      const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const bytes = Buffer.from(whole);
          for (const [index, value] of changes) bytes[index] = value;
          const facts = await inspectImage(bytes).catch((error: unknown) => {
            expect(error).toBeInstanceOf(ImageError);
          });
          if (facts?.pages === 1) await renderPage({ bytes, format: facts.format, page: 0 }, 0);
        }),
        { numRuns: 200 },
      );
    },
  );
});
