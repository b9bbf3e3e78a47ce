import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PASSWORD } from '../client.js';
import { ownRedis } from '../homes.js';
import { type Platform, startPlatform } from '../platform.js';
import { accuracy, fixture, longPage, PHOTOTEST, PHOTOTEST_TEXT } from '../recognition/samples.js';

const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

describe('the page', () => {
  const redis = ownRedis();
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', ...quiet],
    });
  }, 60_000);
  afterAll(() => browser?.close());

  /** A fresh browser on the platform's page. Anything it logs, and any request to elsewhere, fails the test. */
  async function visit(
    { url }: Platform,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => void complaints.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    const { host } = new URL(url);
    page.on('request', (request) => {
      const to = new URL(request.url());
      if (to.protocol !== 'blob:' && to.host !== host) complaints.push(`a request to ${to.host}`);
    });
    await page.goto(url);
    return { page, complaints };
  }

  async function signUp(page: Page, email = 'ada@example.com'): Promise<void> {
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('Password').press('Enter');
    await page.getByText('Drop images here').waitFor();
  }

  async function textOf(page: Page): Promise<string> {
    const text = page.locator('.task pre').first();
    await text.waitFor({ timeout: 15_000 });
    return (await text.textContent()) ?? '';
  }

  it.each([
    ['at the root, on a desktop', true, { viewport: { width: 1_200, height: 800 } }],
    ['below a path, on a phone in the dark', false, { viewport: { width: 390, height: 800 }, colorScheme: 'dark' }],
  ] as const)('signs up, sends an image and shows its text, %s', async (_name, atRoot, options) => {
    const platform = await startPlatform({ atRoot });
    const { page, complaints } = await visit(platform, options);
    await signUp(page);
    await page.setInputFiles('input[type=file]', PHOTOTEST);
    expect(accuracy(await textOf(page), PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
    await page.getByText('phototest-g4.tif', { exact: true }).waitFor();
    await page.getByText('Live').waitFor({ state: 'attached' });
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    // The text is there after a reload too, without signing in again.
    await page.reload();
    await page.getByText('Read the text').click();
    expect(await textOf(page)).toMatch(/quick brown dog/);
    expect(complaints).toEqual([]);
  });

  it('takes dropped images with their priority, shows progress, cancels, and says what was wrong with a file', async () => {
    const { page, complaints } = await visit(await startPlatform());
    await signUp(page);
    await page.getByLabel('Priority').fill('9');
    const transfer = await page.evaluateHandle(dropOf('long.png', await longPage()));
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer });
    await page.getByText('Being read', { exact: true }).and(page.locator('.pill')).waitFor();
    await page.locator('.task-facts', { hasText: 'priority 9' }).waitFor();
    const value = (): Promise<number> =>
      page.locator('.task progress').evaluate((bar) => Number((bar as { value?: unknown }).value));
    await expect.poll(value, { timeout: 15_000 }).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Cancel long.png' }).click();
    await page.locator('.pill[data-status=cancelled]').waitFor();
    expect(complaints).toEqual([]);

    await page.setInputFiles('input[type=file]', fixture('README.md'));
    await page.getByText('The file is not an image. Send PNG, JPEG, TIFF or WebP.').waitFor();
  });

  it('lists sessions, and signs out here and everywhere', async () => {
    const platform = await startPlatform();
    const { page } = await visit(platform);
    await signUp(page);
    const other = platform.client();
    await other.login('ada@example.com');
    await page.getByRole('button', { name: 'Sessions' }).click();
    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.getByRole('listitem').count()).toBe(2);
    await dialog.getByText('This browser').waitFor();
    await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect((await other.get('/me')).status).toBe(401);
  });

  it('goes back to signing in when its session is ended elsewhere, and says why', async () => {
    const platform = await startPlatform();
    const { page } = await visit(platform);
    await signUp(page);
    await page.getByText('Live').waitFor();
    const other = platform.client();
    await other.login('ada@example.com');
    await other.post('/logout-all');
    await page.getByText('Invalid session').waitFor({ timeout: 5_000 });
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.getByLabel('Password').fill('wrong password');
    await page.getByLabel('Password').press('Enter');
    await page.getByText('The e-mail address or the password is wrong.').waitFor();
  });

  it('says so while Redis is away, and shows what became of an image that was sent meanwhile', async () => {
    const platform = await startPlatform({ redisUrl: await redis.url() });
    const { page } = await visit(platform);
    await signUp(page);
    const said = page.getByText('Running without Redis');
    redis.server.pause();
    try {
      await said.waitFor({ timeout: 20_000 });
      await page.setInputFiles('input[type=file]', PHOTOTEST);
    } finally {
      redis.server.resume();
    }
    await said.waitFor({ state: 'hidden', timeout: 20_000 });
    await page.getByText('phototest-g4.tif', { exact: true }).waitFor();
    expect(accuracy(await textOf(page), PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
  });
});

/** Browser code that makes what a drop of this file brings. */
function dropOf(name: string, bytes: Buffer): string {
  return `(() => {
    const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (character) => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], '${name}', { type: 'image/png' }));
    return transfer;
  })()`;
}

describe('the files of the page', () => {
  it('come with a strict policy, a type and a tag, and the bare path leads to the page', async () => {
    const { url } = await startPlatform({ atRoot: false });
    const index = await fetch(`${url}/`);
    expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(index.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
    expect(await index.text()).not.toMatch(/<script(?! type="module" src=)|<style|\sstyle=|\son\w+=/);
    const bare = await fetch(url, { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/ocr/']);
    const script = await fetch(`${url}/socket.io-client.js`);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const again = await fetch(`${url}/socket.io-client.js`, {
      headers: { 'if-none-match': String(script.headers.get('etag')) },
    });
    expect(again.status).toBe(304);
  });
});
