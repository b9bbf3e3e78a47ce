/** `npm run screenshots`: starts every system in memory, brings its page to life in Chromium and takes its picture. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { startServer } from '@commonhold/server';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { scenes } from './screenshots/scenes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const view = { viewport: { width: 1_200, height: 760 }, colorScheme: /** @type {const} */ ('light') };

/** The systems named on the command line; all without any. */
const wanted = scenes.filter(({ folder }) => process.argv.length < 3 || process.argv.slice(2).includes(folder));
const systems = await Promise.all(wanted.map(async ({ folder }) => (await import(`@commonhold/${folder}`)).system));
const dataDirectory = mkdtempSync(join(tmpdir(), 'commonhold-screenshots-'));
const environment = { PORT: '0', USE_REDIS: 'false', LOG_LEVEL: 'error', DATA_DIR: dataDirectory };
const server = await startServer(systems, { environment });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
});
try {
  for (const { system, folder, arrange } of wanted) {
    const page = await browser.newPage(view);
    await page.goto(`${server.url}/${system}/`);
    await arrange(page);
    const path = `${root}examples/${folder}/screenshot.png`;
    await page.evaluate('scrollTo(0, 0)');
    const picture = await page.screenshot();
    await sharp(picture).png({ palette: true, effort: 10 }).toFile(path);
    console.log(path);
    await page.close();
  }
} finally {
  await browser.close();
  await server.stop();
  rmSync(dataDirectory, { recursive: true, force: true });
}
