import { readFile } from 'node:fs/promises';
import sharp, { type Metadata } from 'sharp';
import { describe, expect, it } from 'vitest';
import { renderPage, type Turn } from '../../src/recognition/page-image.js';
import { blankPng } from './made-images.js';
import { fixture, PHOTOTEST, tiffOf } from './samples.js';

const HELLO = fixture('HelloGoogle.tif');

async function rendered(bytes: Buffer, turn: Turn = 0): Promise<Metadata> {
  return sharp(await renderPage({ bytes, format: 'png', page: 0 }, turn)).metadata();
}

/** The grey value of the first pixel. */
async function firstPixel(bytes: Buffer): Promise<number | undefined> {
  const image = await renderPage({ bytes, format: 'png', page: 0 }, 0);
  return (await sharp(image).toColourspace('b-w').raw().toBuffer())[0];
}

function filled(background: object, orientation?: number): Promise<Buffer> {
  const image = sharp({ create: { width: 30, height: 10, channels: 4, background } });
  return (orientation === undefined ? image : image.withMetadata({ orientation })).png().toBuffer();
}

const OPAQUE_RED = { r: 255, g: 0, b: 0, alpha: 1 };
const BLACK_UNSEEN = { r: 0, g: 0, b: 0, alpha: 0 };

describe('renderPage', () => {
  it('makes a grey PNG of one channel with eight bits', async () => {
    expect(await rendered(await filled(OPAQUE_RED))).toMatchObject({ format: 'png', channels: 1, depth: 'uchar' });
    expect(await rendered(await sharp(PHOTOTEST).toColourspace('rgb16').png().toBuffer())).toMatchObject({
      channels: 1,
      depth: 'uchar',
    });
  });

  it('puts what is transparent on white paper', async () => {
    expect(await firstPixel(await filled(BLACK_UNSEEN))).toBe(255);
    expect(await firstPixel(await filled({ ...BLACK_UNSEEN, alpha: 1 }))).toBe(0);
  });

  it('turns the page as displayed', async () => {
    const upright = await filled(OPAQUE_RED);
    expect(await rendered(upright)).toMatchObject({ width: 30, height: 10 });
    expect(await rendered(upright, 90)).toMatchObject({ width: 10, height: 30 });
    expect(await rendered(upright, 180)).toMatchObject({ width: 30, height: 10 });
    const tagged = await filled(OPAQUE_RED, 6);
    expect(await rendered(tagged)).toMatchObject({ width: 10, height: 30 });
    expect(await rendered(tagged, 270)).toMatchObject({ width: 30, height: 10 });
  });

  it('takes the page that was asked for', async () => {
    const bytes = await tiffOf(HELLO, PHOTOTEST);
    const [first, second] = await Promise.all(
      [0, 1].map(async (page) => renderPage({ bytes, format: 'tiff', page }, 0)),
    );
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(false);
  });

  it('shrinks a page beyond 16 million pixels, and no other', async () => {
    expect(await rendered(blankPng(4000, 4000))).toMatchObject({ width: 4000, height: 4000 });
    expect(await rendered(blankPng(6000, 6000))).toMatchObject({ width: 4000, height: 4000 });
    expect(await rendered(blankPng(8000, 4000), 90)).toMatchObject({ width: 2828, height: 5656 });
  });

  it('shrinks a side that the recognizer could not count', async () => {
    expect(await rendered(blankPng(40_000, 100))).toMatchObject({ width: 32_000, height: 80 });
  });

  it('refuses a damaged page', async () => {
    const whole = await readFile(PHOTOTEST);
    const page = { bytes: whole.subarray(0, 2000), format: 'tiff', page: 0 } as const;
    await expect(renderPage(page, 0)).rejects.toMatchObject({ name: 'ImageError', kind: 'damaged' });
    const cut = {
      bytes: (await sharp(PHOTOTEST).jpeg().toBuffer()).subarray(0, 9000),
      format: 'jpeg',
      page: 0,
    } as const;
    await expect(renderPage(cut, 0)).rejects.toMatchObject({ name: 'ImageError', kind: 'damaged' });
  });
});
