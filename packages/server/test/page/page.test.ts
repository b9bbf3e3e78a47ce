import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually, startRedisServer } from 'commonhold/testing';
import { serve } from '../serving.js';
import { tinySystem } from '../tiny-system.js';

let browser: Browser;

beforeAll(async () => {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

afterAll(() => browser.close());

/** A page, and what its console said that is not good. */
async function openPage(url: string, colorScheme: 'light' | 'dark' = 'light'): Promise<{ page: Page; said: string[] }> {
  const page = await browser.newPage({ colorScheme });
  onTestFinished(() => page.close());
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  await page.goto(url);
  return { page, said };
}

const line = '#health';

describe('the index page in a browser', () => {
  it('tells what becomes of Redis and of the server, by itself', { timeout: 40_000 }, async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const server = await serve([tinySystem()], { variables: { REDIS_URL: redis.url } });
    const { page, said } = await openPage(server.url);
    const expectLine = (text: string, status: string): Promise<void> =>
      eventually(
        async () => {
          expect(await page.textContent(line)).toBe(text);
          expect(await page.getAttribute(line, 'data-status')).toBe(status);
        },
        { timeoutMs: 10_000, everyMs: 100 },
      );
    await expectLine('Application is running normally with Redis', 'healthy');
    redis.pause();
    await expectLine('Redis is unreachable; serving by policy', 'degraded');
    redis.resume();
    await expectLine('Application is running normally with Redis', 'healthy');
    expect(said).toEqual([]);
    await server.stop();
    await expectLine('The server does not answer.', 'away');
  });

  it.each(['light', 'dark'] as const)('can be read in %s, and loads nothing from elsewhere', async (scheme) => {
    const { url } = await serve([tinySystem()]);
    const { page, said } = await openPage('about:blank', scheme);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(url);
    // As text: this project does not know the browser's globals.
    const style = 'getComputedStyle(document.body)';
    const colours = await page.evaluate<string[]>(`[${style}.color, ${style}.backgroundColor]`);
    const [ink = 0, ground = 0] = colours.map(luminance);
    const [high, low] = [Math.max(ink, ground), Math.min(ink, ground)];
    expect((high + 0.05) / (low + 0.05)).toBeGreaterThan(7);
    expect(ink < ground).toBe(scheme === 'light');
    expect(asked.filter((address) => !address.startsWith(url))).toEqual([]);
    expect(said).toEqual([]);
  });

  it('leads by keyboard to a system and back', async () => {
    const { url } = await serve([tinySystem()]);
    const { page } = await openPage(url);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${url}/tiny`);
    expect(await page.textContent('h1')).toBe('Tiny <system>');
    await page.click('text=All systems');
    await page.waitForURL(`${url}/`);
  });
});

/** Relative luminance of a colour as browsers write it, `rgb(251, 250, 248)`; 0 is black, 1 white. */
function luminance(colour: string): number {
  const channels = [...colour.matchAll(/\d+/g)].map(([digits]) => Number(digits) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((channel) =>
    channel <= 0.040_45 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
