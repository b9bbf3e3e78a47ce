import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { createRecognizer } from '../../src/recognition/recognizer.js';
import { accuracy, collected, fixture, PHOTOTEST, PHOTOTEST_TEXT, tiffOf } from './samples.js';

const recognizer = createRecognizer({ threads: 1 });
afterAll(async () => recognizer.close());

async function progressOf(file: Buffer | string): Promise<number[]> {
  const heard: number[] = [];
  await recognizer.recognize(file, { onProgress: (fraction) => heard.push(fraction) });
  return heard;
}

describe('accuracy', () => {
  it('reads a page of 12-point text, at least 99 % right', async () => {
    const { text, confidence } = await recognizer.recognize(PHOTOTEST);
    expect(accuracy(text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
    expect(confidence).toBeGreaterThan(80);
    expect(confidence).toBeLessThanOrEqual(100);
  });

  it('reads two words', async () => {
    expect(await recognizer.recognize(fixture('HelloGoogle.tif'))).toMatchObject({ text: 'Hello Google' });
  });

  it('reads phototest.tif as scanned, at least 99 % right', async (context) => {
    const { text } = await recognizer.recognize(collected('phototest.tif', context));
    expect(accuracy(text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
  });

  it('reads eurotext.tif, at least 95 % right', async (context) => {
    const truth = await readFile(collected('eurotext.txt', context), 'utf8');
    const { text } = await recognizer.recognize(collected('eurotext.tif', context));
    expect(accuracy(text, truth)).toBeGreaterThanOrEqual(0.95);
  });

  it('reads phototest-rotated-180.png, at least 99 % right', async (context) => {
    const { text } = await recognizer.recognize(collected('phototest-rotated-180.png', context));
    expect(accuracy(text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
  });

  it('measures what it says it measures', () => {
    expect(accuracy(' a  b\n', 'a b')).toBe(1);
    expect(accuracy('abxd', 'abcd')).toBe(0.75);
    expect(accuracy('', 'abcd')).toBe(0);
    expect(accuracy('abcde', 'abcd')).toBe(0.75);
  });
});

describe('ways an image comes', () => {
  it.each([90, 180, 270])('turned by %i degrees', async (degrees) => {
    const image = await sharp(PHOTOTEST).rotate(degrees).png().toBuffer();
    const { text } = await recognizer.recognize(image);
    expect(accuracy(text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
  });

  it('lying on its side with an EXIF tag that says so', async () => {
    const image = await sharp(PHOTOTEST).rotate(270).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { text } = await recognizer.recognize(image);
    expect(accuracy(text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
  });

  it.each(['png', 'jpeg', 'webp', 'tiff'] as const)('as %s', async (format) => {
    const image = await sharp(PHOTOTEST).toFormat(format).toBuffer();
    const { text } = await recognizer.recognize(image);
    expect(accuracy(text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
  });

  it('black on transparent', async () => {
    const letters = await sharp(PHOTOTEST).greyscale().negate().toColourspace('b-w').raw().toBuffer();
    const ink = { create: { width: 640, height: 480, channels: 3, background: '#000000' } } as const;
    const raw = { width: 640, height: 480, channels: 1 } as const;
    const image = await sharp(ink).joinChannel(letters, { raw }).png().toBuffer();
    const { text } = await recognizer.recognize(image);
    expect(accuracy(text, PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
  });

  it('in several pages, separated by form feeds', async () => {
    const { text, confidence } = await recognizer.recognize(await tiffOf(fixture('HelloGoogle.tif'), PHOTOTEST));
    const [first, second, ...more] = text.split('\f');
    expect(first).toBe('Hello Google');
    expect(accuracy(second ?? '', PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
    expect(more).toEqual([]);
    expect(confidence).toBeGreaterThan(80);
  });

  it.each([
    [1, 1],
    [1000, 2],
    [1, 5000],
    [40_000, 30],
    [300, 300],
  ])('blank, %i by %i pixels', async (width, height) => {
    const blank = sharp({ create: { width, height, channels: 3, background: '#ffffff' } });
    expect(await recognizer.recognize(await blank.png().toBuffer())).toEqual({ text: '', confidence: 0 });
  });
});

describe('progress', () => {
  it('rises strictly and ends with a single 1', async () => {
    const heard = await progressOf(PHOTOTEST);
    expect(heard.length).toBeGreaterThan(3);
    expect(heard.every((fraction, index) => fraction > (heard[index - 1] ?? 0))).toBe(true);
    expect(heard.at(-1)).toBe(1);
    expect(heard.at(-2)).toBeLessThan(1);
  });

  it('counts pages, each as an equal share', async () => {
    const heard = await progressOf(await tiffOf(PHOTOTEST, PHOTOTEST));
    expect(heard.filter((fraction) => fraction < 0.5).length).toBeGreaterThan(2);
    expect(heard.filter((fraction) => fraction > 0.5).length).toBeGreaterThan(2);
  });

  it('rises strictly on a page that is read in several directions', async () => {
    const heard = await progressOf(await sharp(PHOTOTEST).rotate(180).png().toBuffer());
    expect(heard.every((fraction, index) => fraction > (heard[index - 1] ?? 0))).toBe(true);
    expect(heard.at(-1)).toBe(1);
  });
});

describe('the event loop', () => {
  it('turns freely while a page is read, the start of the thread included', async () => {
    await using fresh = createRecognizer({ threads: 1 });
    const page = await readFile(PHOTOTEST);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const startedAtMs = performance.now();
    delay.enable();
    await fresh.recognize(page);
    delay.disable();
    // The work itself is longer than the delay allowed, so it would show if it ran here.
    expect(performance.now() - startedAtMs).toBeGreaterThan(200);
    expect(delay.max / 1e6).toBeLessThan(100);
  });
});

describe('the working directory', () => {
  it('stays as it was: no model is cached in it', async () => {
    const before = process.cwd();
    const folder = await mkdtemp(join(tmpdir(), 'recognizer-'));
    process.chdir(folder);
    try {
      await using fresh = createRecognizer({ threads: 1 });
      await fresh.recognize(fixture('HelloGoogle.tif'));
      expect(await readdir(folder)).toEqual([]);
    } finally {
      process.chdir(before);
      await rm(folder, { recursive: true });
    }
  });
});
