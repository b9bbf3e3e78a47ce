import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { madeFace } from '../../src/faces/made-face.js';
import { newVisitor, PASSWORD, type Running, type RunningOptions, startAttendx } from '../running.js';

const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

async function start(options: RunningOptions = {}): Promise<Running> {
  const running = await startAttendx(options);
  onTestFinished(() => running.close());
  return running;
}

describe('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', ...quiet, ...camera],
    });
  }, 60_000);
  afterAll(() => browser?.close());

  /** A fresh browser on the page. Anything it logs, and any request to elsewhere, is a complaint. */
  async function visit(
    { bases }: Running,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const url = `${bases[0]}/`;
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => void complaints.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('request', (request) => {
      const to = new URL(request.url());
      if (to.protocol !== 'blob:' && to.host !== new URL(url).host) complaints.push(`a request to ${to.host}`);
    });
    await page.goto(url);
    return { page, complaints };
  }

  async function signUp(page: Page, email = 'ada@example.org'): Promise<void> {
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('Password').press('Enter');
    await page.getByRole('button', { name: 'Take attendance' }).waitFor();
  }

  async function choose(page: Page, buffer: Buffer): Promise<void> {
    await page.setInputFiles('#file', { name: 'face.jpg', mimeType: 'image/jpeg', buffer });
  }

  async function enrol(page: Page, name: string): Promise<void> {
    await page.getByLabel('Name of the person to enrol').fill(name);
    await page.getByLabel('Name of the person to enrol').press('Enter');
  }

  it.each([
    ['at the root, on a desktop', true, { viewport: { width: 1_200, height: 800 } }],
    ['below a path, on a phone in the dark', false, { viewport: { width: 390, height: 800 }, colorScheme: 'dark' }],
  ] as const)(
    'signs up, enrols, recognises and shows the limiter live, %s',
    async (_name, atRoot, options) => {
      const { page, complaints } = await visit(await start({ atRoot }), options);
      await signUp(page);
      await page.locator('#remaining', { hasText: '5' }).waitFor();
      await choose(page, await madeFace(7));
      await enrol(page, 'Grace Hopper');
      await page.getByText('Grace Hopper is enrolled').waitFor();
      await page.locator('#remaining', { hasText: '4' }).waitFor();
      await page.getByText('RateLimit: "enroll";r=4;t=3600').waitFor();
      await page.getByText(/All of them again in (?:60:00|59:5\d)/).waitFor();
      await choose(page, await madeFace(7, { shift: [4, 2], tilt: 2, brightness: 1.1 }));
      await page.getByRole('button', { name: 'Take attendance' }).click();
      await page.getByText('Welcome, Grace Hopper').waitFor();
      await page
        .getByText(/^9\d\.\d %/)
        .first()
        .waitFor();
      await page.getByText('1 of 1').waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      // The session outlives the page.
      await page.reload();
      await page.getByRole('listitem').getByText('Grace Hopper').waitFor();
      expect(complaints).toEqual([]);
    },
    30_000,
  );

  it('takes pictures with the camera', async () => {
    const { page, complaints } = await visit(await start());
    await signUp(page);
    await page.getByRole('button', { name: 'Start camera' }).click();
    await page.getByRole('button', { name: 'Stop camera' }).waitFor();
    await enrol(page, 'The camera');
    await page.getByText('The camera is enrolled').waitFor();
    await page.getByRole('button', { name: 'Stop camera' }).click();
    await page.getByRole('button', { name: 'Start camera' }).waitFor();
    expect(complaints).toEqual([]);
  }, 30_000);

  it('says what went wrong: no picture, nobody known, no image, too many', async () => {
    const running = await start();
    const { page } = await visit(running);
    await signUp(page);
    await page.getByRole('button', { name: 'Take attendance' }).click();
    await page.getByText('Choose an image or start the camera first.').waitFor();
    await choose(page, await madeFace(1));
    await page.getByRole('button', { name: 'Take attendance' }).click();
    await page.getByText('Nobody who is enrolled looks like this.').waitFor();
    for (let left = 4; left >= 0; left--) {
      await enrol(page, `Person ${left}`);
      await page.getByText(`Person ${left} is enrolled`).waitFor();
    }
    await enrol(page, 'One too many');
    await page.getByText('Enough for this hour').waitFor();
    await page.getByText('Retry-After: 3').waitFor();
    await choose(page, Buffer.from('hello'));
    await page.getByRole('button', { name: 'Take attendance' }).click();
    await page.getByText('The file is no image of a known kind.').waitFor();
  }, 30_000);

  it("changes one's name, signs out, and says so when the session ends elsewhere", async () => {
    const running = await start();
    const { page } = await visit(running);
    await signUp(page);
    await page.getByRole('button', { name: 'Ada', exact: true }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('Ada Lovelace');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Ada Lovelace' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('E-mail').fill('ada@example.org');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('Password').press('Enter');
    await page.getByRole('button', { name: 'Ada Lovelace' }).waitFor();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'session', httpOnly: true, sameSite: 'Lax' });
    const elsewhere = newVisitor(running);
    elsewhere.takeCookie(`session=${cookie?.value ?? ''}`);
    await elsewhere.post('/logout');
    await page.getByText('Not logged in').waitFor({ timeout: 10_000 });
  }, 30_000);
});

describe('the files of the page', () => {
  it('come with a strict policy, a type and a tag, and the bare path leads to the page', async () => {
    const { bases } = await start({ atRoot: false });
    const index = await fetch(`${bases[0]}/`);
    expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(index.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
    expect(await index.text()).not.toMatch(/<script(?! type="module" src=)|<style|\sstyle=|\son\w+=/);
    const bare = await fetch(bases[0] ?? '', { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/attendx/']);
    const script = await fetch(`${bases[0]}/app.js`);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const headers = { 'if-none-match': String(script.headers.get('etag')) };
    expect((await fetch(`${bases[0]}/app.js`, { headers })).status).toBe(304);
  });
});
