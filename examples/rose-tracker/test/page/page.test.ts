import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Camera } from '../camera.js';
import { startWorker, type Worker } from '../homes.js';

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

  async function serve(atRoot = true): Promise<Worker> {
    const worker = await startWorker({ atRoot });
    onTestFinished(() => worker.close());
    return worker;
  }

  /** A fresh browser on the page. Anything it logs, and any request to elsewhere, is a complaint. */
  async function visit(
    base: string,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => void complaints.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    const { host } = new URL(base);
    page.on('request', (request) => {
      if (new URL(request.url()).host !== host) complaints.push(`a request to ${request.url()}`);
    });
    await page.goto(base);
    return { page, complaints };
  }

  const number = async (page: Page, id: string): Promise<number> =>
    Number((await page.locator(`#${id}`).textContent())?.replaceAll(',', ''));

  it.each([
    ['at the root, on a desktop', true, { viewport: { width: 1_280, height: 900 } }],
    ['below a path, on a phone in the dark', false, { viewport: { width: 390, height: 800 }, colorScheme: 'dark' }],
  ] as const)('replays a street scene with live counts, %s', async (_name, atRoot, options) => {
    const worker = await serve(atRoot);
    const { page, complaints } = await visit(worker.base, options);
    await page.getByRole('button', { name: 'Replay a street scene' }).click();
    await page.getByText('Filming', { exact: true }).waitFor();
    await expect.poll(() => number(page, 'frame-count'), { timeout: 10_000 }).toBeGreaterThan(12);
    expect(await number(page, 'display-count')).toBe(8);
    expect(await number(page, 'session-roses')).toBe(8);
    expect(await page.locator('#chart circle').count()).toBeGreaterThan(12);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);

    await page.getByRole('button', { name: 'Stop the session' }).click();
    await page.getByText('Done', { exact: true }).waitFor();
    await page.getByRole('rowheader', { name: '1', exact: true }).waitFor();
    const [entry] = await new Camera([worker.base]).history();
    expect(entry).toMatchObject({ session_number: 1, unique_roses: 8, frame_count: await number(page, 'frame-count') });
    expect(complaints).toEqual([]);
  });

  it('films a garden by the keyboard, pauses and goes on', async () => {
    const { base } = await serve();
    const { page, complaints } = await visit(base);
    await page.getByRole('button', { name: 'Film the rose garden' }).press('Enter');
    await expect.poll(() => number(page, 'frame-count')).toBeGreaterThan(2);
    await page.getByRole('button', { name: 'Pause' }).press('Enter');
    await page.getByText('Paused', { exact: true }).waitFor();
    await page.waitForTimeout(300);
    const paused = await number(page, 'frame-count');
    await page.waitForTimeout(500);
    expect(await number(page, 'frame-count')).toBe(paused);
    await page.getByRole('button', { name: 'Go on' }).press('Enter');
    await expect.poll(() => number(page, 'frame-count')).toBeGreaterThan(paused);
    expect(complaints).toEqual([]);
  });

  it('shows what others count, without being reloaded', async () => {
    const { base } = await serve();
    const { page } = await visit(base);
    await page.getByText('Live', { exact: true }).waitFor();
    const camera = new Camera([base]);
    const { session_id: id } = await camera.start();
    await camera.frame(id, 1, ['<b>a</b>', 'b']);
    await camera.stop(id);
    await expect.poll(() => number(page, 'total-roses'), { timeout: 5_000 }).toBe(2);
    expect(await number(page, 'session-count')).toBe(1);
    await page.getByRole('rowheader', { name: '1', exact: true }).waitFor();
  });

  it('comes with a strict policy, and the bare path leads to it', async () => {
    const { base } = await serve(false);
    const index = await fetch(`${base}/`);
    expect(index.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
    expect(await index.text()).not.toMatch(/<script(?! type="module" src=)|<style|\sstyle=|\son\w+=/);
    const bare = await fetch(base, { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/rose-tracker/']);
  });
});
