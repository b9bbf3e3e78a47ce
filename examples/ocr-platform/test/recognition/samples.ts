import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { TestContext } from 'vitest';

/** The path of a committed fixture. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/**
 * The path of a file of the data collection that may lie beside the repository. Where it does not, the test is reported
 * as skipped, and the console says why.
 */
export function collected(name: string, context: TestContext): string {
  const path = fileURLToPath(new URL(`../../../../../shared/data/ocr/${name}`, import.meta.url));
  if (existsSync(path)) return path;
  console.warn(`NOT RUN: "${context.task.name}" needs shared/data/ocr/${name} beside the repository`);
  return context.skip(`shared/data/ocr/${name} is missing`);
}

export const PHOTOTEST: string = fixture('phototest-g4.tif');
export const PHOTOTEST_TEXT: string = await readFile(fixture('phototest.txt'), 'utf8');

/** The share of characters that are right: 1 - Levenshtein distance / length, runs of white space being one space. */
export function accuracy(got: string, truth: string): number {
  const wanted = Array.from(fold(truth));
  return 1 - levenshtein(Array.from(fold(got)), wanted) / wanted.length;
}

function fold(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}

function levenshtein(left: readonly string[], right: readonly string[]): number {
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (const [row, letter] of left.entries()) {
    const current = [row + 1];
    for (const [column, other] of right.entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}

/** A page of fine print, which takes many seconds to read. */
export async function longPage(): Promise<Buffer> {
  const input = await sharp(PHOTOTEST).png().toBuffer();
  return sharp({ create: { width: 2480, height: 3508, channels: 3, background: '#ffffff' } })
    .composite([{ input, tile: true }])
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** A TIFF file of these pages, all of one size. */
export async function tiffOf(...pages: readonly string[]): Promise<Buffer> {
  const images = await Promise.all(
    pages.map(async (path) => {
      const box = { width: 640, height: 480, fit: 'contain', position: 'left top', background: '#ffffff' } as const;
      return sharp(path).resize(box).png().toBuffer();
    }),
  );
  return sharp(images, { join: { animated: true } })
    .tiff({ compression: 'deflate' })
    .toBuffer();
}
