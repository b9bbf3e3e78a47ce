import { describe, expect, it } from 'vitest';
import type { Turn } from '../../src/recognition/page-image.js';
import { readPage } from '../../src/recognition/read-page.js';
import type { Reading } from '../../src/recognition/tesseract-thread.js';

/** Readings as they were measured, one for each direction. */
async function read(readings: Record<Turn, Reading>): Promise<{ best: Reading; turns: Turn[] }> {
  const turns: Turn[] = [];
  const best = await readPage(async (turn) => {
    turns.push(turn);
    return readings[turn];
  });
  return { best, turns };
}

const page: Reading = { text: 'Hello Google\n', confidence: 96 };
const reversed: Reading = { text: '916009 0j|aH\n', confidence: 13 };
const column: Reading = { text: 'I\no\n5)\n@\n0\no\nQ\n', confidence: 50 };
const otherColumn: Reading = { text: 'Q\n=)\no\no\n\noO\nI\n', confidence: 55 };

describe('readPage', () => {
  it('reads once where that reads well', async () => {
    const { best, turns } = await read({ 0: page, 90: column, 180: reversed, 270: otherColumn });
    expect(best).toBe(page);
    expect(turns).toEqual([0]);
  });

  it('reads twice what is upside down', async () => {
    const { best, turns } = await read({ 0: reversed, 90: column, 180: page, 270: otherColumn });
    expect(best).toBe(page);
    expect(turns).toEqual([0, 180]);
  });

  it('finds what lies on its side', async () => {
    expect((await read({ 0: column, 90: reversed, 180: otherColumn, 270: page })).best).toBe(page);
  });

  it('keeps a long faint page against one clear letter', async () => {
    const faint: Reading = { text: 'a faint page '.repeat(20), confidence: 50 };
    const letter: Reading = { text: 'I', confidence: 95 };
    const { best, turns } = await read({ 0: faint, 90: letter, 180: letter, 270: letter });
    expect(best).toBe(faint);
    expect(turns).toEqual([0, 180, 90, 270]);
  });

  it('turns no page on which nothing was found', async () => {
    const blank: Reading = { text: ' \n', confidence: 0 };
    expect((await read({ 0: blank, 90: page, 180: page, 270: page })).turns).toEqual([0]);
  });
});
