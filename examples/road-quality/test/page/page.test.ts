import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ask, connect, post } from '../client.js';
import { ownRedis } from '../homes.js';
import { Ends, type RoadServer, startRoad } from '../place.js';

const delhi = { latitude: 28.7037, longitude: 77.2079 };
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', ...quiet],
  });
}, 60_000);
afterAll(() => browser?.close());

/** A fresh browser on the page. Anything that goes wrong in it, and any request to elsewhere, is a complaint. */
async function visit(base: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1_200, height: 800 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  page.on('request', (request) => {
    const { host } = new URL(request.url());
    if (host !== new URL(base).host) complaints.push(`a request to ${host}`);
  });
  await page.goto(`${base}/`);
  await page.locator('.live.on').waitFor({ state: 'attached' });
  return { page, complaints };
}

/** The colour in the middle of the map. */
function middle(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const map = document.getElementById('map');
    const context = map.getContext('2d');
    return [...context.getImageData(map.width / 2 + 30, map.height / 2 + 30, 1, 1).data].join();
  })()`);
}

describe('the page', () => {
  const ends = new Ends();
  let road: RoadServer;
  beforeAll(async () => {
    road = await startRoad({ atRoot: false, atEnd: ends.add });
    // The embedded database takes its time once.
    await post(`${road.base}/observations`, { userId: 'first', latitude: 0, longitude: 0, quality: 1 });
  }, 60_000);
  afterAll(ends.run);

  it.each([
    ['on a desktop', {}],
    ['on a phone in the dark', { viewport: { width: 390, height: 800 }, colorScheme: 'dark' }],
  ] as const)('drives cars that are real members with real reports, %s', async (_name, options) => {
    const { page, complaints } = await visit(road.base, options);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.getByRole('button', { name: 'Drive 8 cars' }).click();
    await expect.poll(() => page.locator('#members-total').textContent(), { timeout: 10_000 }).toBe('8');
    const reports = async (): Promise<number> => Number(await page.locator('#reports-total').textContent());
    const before = await reports();
    await expect.poll(reports, { timeout: 10_000 }).toBeGreaterThan(before + 10);
    // What the page says is what the server knows.
    const row = page.locator('.row').first();
    const region = String(await row.getAttribute('data-region'));
    const { json } = await ask(`${road.base}/regions/${region}/members?neighbours=true`);
    expect((json['members'] as unknown[]).length).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Stop driving' }).click();
    await expect.poll(() => page.locator('#members-total').textContent(), { timeout: 10_000 }).toBe('0');
    expect(complaints).toEqual([]);
  });

  it('shows a region that is clicked: its members, its segments, and who comes', async () => {
    const ada = await connect(road.base, 'ada');
    const { page, complaints } = await visit(road.base);
    await ada.go(delhi);
    await post(`${road.base}/observations`, { userId: 'ada', ...delhi, quality: 12 });
    await page.locator('#map').click({ position: { x: 420, y: 370 } });
    await page.locator('#region').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'ttngkc' }).click();
    await page.getByText('ada', { exact: true }).waitFor();
    await page
      .locator('#segments code', { hasText: /^ttngkc..$/ })
      .first()
      .waitFor();
    const bob = await connect(road.base, 'bob');
    await bob.go(delhi);
    await page.getByText('bob', { exact: true }).waitFor();
    bob.socket.disconnect();
    await page.getByText('bob', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'All regions' }).click();
    await page.getByRole('heading', { name: 'Regions in view' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('is moved and read by keyboard, finds a geohash, and remembers where it was', async () => {
    const { page, complaints } = await visit(road.base);
    await page.locator('#map').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#region-id').textContent()).toBe('ttngkc');
    for (let press = 0; press < 4; press++) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#region-id').textContent()).not.toBe('ttngkc');
    for (let press = 0; press < 30; press++) await page.keyboard.press('-');
    await page.getByLabel('Go to a geohash').fill('u4pruy');
    await page.getByLabel('Go to a geohash').press('Enter');
    await expect.poll(() => page.locator('#region-id').textContent()).toBe('u4pruy');
    await page.getByLabel('Go to a geohash').fill('nowhere!');
    await page.getByLabel('Go to a geohash').press('Enter');
    await page.getByText('Type a geohash, such as ttngkc.').waitFor();
    await page.waitForTimeout(400);
    await page.reload();
    await page.locator('#map').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#region-id').textContent()).toBe('u4pruy');
    expect(complaints).toEqual([]);
  });

  it('draws what the road is like', async () => {
    const { page } = await visit(road.base);
    const before = await middle(page);
    for (const quality of [5, 5, 5]) await post(`${road.base}/observations`, { userId: 'ada', ...delhi, quality });
    await expect.poll(() => middle(page), { timeout: 8_000 }).not.toBe(before);
  });

  it('comes with a strict policy, and the bare path leads to it', async () => {
    const index = await fetch(`${road.base}/`);
    expect(index.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
    expect(await index.text()).not.toMatch(/<script(?! type="module" src=)|<style|\sstyle=|\son\w+=/);
    const bare = await fetch(road.base, { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/road/']);
  });
});

describe('the page without a database', () => {
  const redis = ownRedis();

  it('drives all the same, and says why nothing is reported', async () => {
    const { base } = await startRoad({ variables: { REDIS_URL: await redis.url() } });
    const { page } = await visit(base);
    await page.getByRole('button', { name: 'Drive 8 cars' }).click();
    await page.getByText('DATABASE_URL').waitFor();
    await expect.poll(() => page.locator('#members-total').textContent(), { timeout: 10_000 }).toBe('8');
  });
});
