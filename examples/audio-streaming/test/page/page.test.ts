import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Audio, startAudio } from '../audio.js';
import type { AtEnd } from '../directories.js';
import { speech, speechSeconds, spokenText } from '../samples.js';

const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

describe('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', ...quiet],
    });
  }, 60_000);
  afterAll(() => browser?.close());

  /** A fresh browser on the page. Anything it logs, and any request to elsewhere, is a complaint. */
  async function visit(
    { url }: Audio,
    options: BrowserContextOptions = {},
    atEnd: AtEnd = onTestFinished,
  ): Promise<{ page: Page; complaints: string[]; requests: string[] }> {
    const context = await browser.newContext(options);
    atEnd(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('pageerror', (error) => void complaints.push(error.message));
    // What is not there yet is asked for and answered 404, which the browser logs; that is no complaint.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text());
    });
    const { host } = new URL(url);
    page.on('request', (request) => {
      const to = new URL(request.url());
      requests.push(`${request.method()} ${to.pathname}`);
      if (to.protocol !== 'blob:' && to.host !== host) complaints.push(`a request to ${to.host}`);
    });
    await page.goto(url);
    return { page, complaints, requests };
  }

  async function choose(page: Page, name: string, buffer: Buffer): Promise<void> {
    await page.setInputFiles('input[type=file]', { name, mimeType: 'audio/mpeg', buffer });
  }

  // At one time, since each listens to a recording to its end.
  it.concurrent.for([
    ['at the root, on a desktop', true, { viewport: { width: 1_200, height: 900 } }],
    ['below a path, on a phone in the dark', false, { viewport: { width: 390, height: 800 }, colorScheme: 'dark' }],
  ] as const)(
    'sends a recording in chunks, has it converted, and plays its stream to the end, %s',
    { timeout: 60_000 },
    async ([, atRoot, options], { onTestFinished: atEnd }) => {
      const audio = await startAudio({ atRoot, variables: { CONTAINER_ID: 'container-1' }, atEnd });
      const { page, complaints, requests } = await visit(audio, options, atEnd);
      await page.getByText('Nothing here yet.').waitFor();
      await choose(page, 'John F. Kennedy, inaugural address, 20 January 1961.mp3', await speech());
      await page.locator('.pill[data-status=completed]').waitFor({ timeout: 15_000 });
      expect(requests.filter((request) => request.startsWith('PUT')).length).toBeGreaterThan(3);
      await page.getByText('6 of 6 segments by container-1').waitFor();

      await page.locator('summary').click();
      await page.getByLabel('Spoken text of John F. Kennedy, inaugural address, 20 January 1961.mp3').fill(spokenText);
      await page.getByRole('button', { name: 'Save text' }).click();
      await page.getByText('The text is saved.').waitFor({ state: 'attached' });
      await page.getByRole('button', { name: 'Play John F. Kennedy, inaugural address, 20 January 1961.mp3' }).click();
      await page.locator('.words .now').first().waitFor({ timeout: 10_000 });
      const time = (): Promise<number> => page.evaluate('document.querySelector("audio").currentTime');
      await expect.poll(() => page.evaluate('document.querySelector("audio").ended'), { timeout: 25_000 }).toBe(true);
      expect(Math.abs((await time()) - speechSeconds)).toBeLessThan(0.3);
      expect(await page.locator('.words .said').count()).toBe(spokenText.split(' ').length);
      expect(requests.filter((request) => /segment-\d+\.mp3$/.test(request)).length).toBeGreaterThanOrEqual(6);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);

      // The recording is there after a reload too, ready to play.
      await page.reload();
      await page
        .getByRole('button', { name: 'Play John F. Kennedy, inaugural address, 20 January 1961.mp3' })
        .waitFor();
      expect(complaints).toEqual([]);
    },
  );

  it('shows a conversion get on, and who does it', async () => {
    const variables = { CONTAINER_ID: 'container-7', AUDIO_SEGMENT_DELAY_MS: '400', AUDIO_SEGMENT_SECONDS: '1' };
    const { page, complaints } = await visit(await startAudio({ variables }));
    await page.locator('.container .name', { hasText: 'container-7' }).waitFor();
    await page.getByText('1 container', { exact: true }).waitFor();
    await choose(page, 'speech.mp3', await speech());
    await page.locator('.pill[data-status=processing]').waitFor();
    await page.locator('.holds', { hasText: /conversion:[0-9a-f]{8}\.original, for/ }).waitFor();
    const strip = page.getByRole('progressbar', { name: 'Segments of speech.mp3' });
    const done = async (): Promise<number> => Number(await strip.getAttribute('aria-valuenow'));
    await expect.poll(done, { interval: 50 }).toBeGreaterThan(1);
    expect(await done()).toBeLessThan(12);
    await page.locator('.pill[data-status=completed]').waitFor({ timeout: 15_000 });
    expect(await strip.locator('i[style]').count()).toBe(12);
    await page.locator('.holds', { hasText: 'holds nothing' }).waitFor();
    expect(complaints).toEqual([]);
  }, 40_000);

  it('says what was wrong with a file, and when the server is gone', async () => {
    const audio = await startAudio();
    const { page } = await visit(audio);
    await choose(page, 'notes.mp3', Buffer.from('not music at all'));
    await page.getByText('The file is not an MP3').waitFor();
    await audio.server.stop();
    await page.getByText('Connecting', { exact: true }).waitFor({ timeout: 10_000 });
  });
});
