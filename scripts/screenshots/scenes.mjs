import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Brings the page of one system to a moment worth a picture.
 * @typedef {import('playwright-core').Page} Page
 * @typedef {{ system: string, folder: string, arrange: (page: Page) => Promise<unknown> }} Scene
 */

const root = new URL('../../', import.meta.url);
const scan = fileURLToPath(new URL('examples/ocr-platform/test/fixtures/phototest-g4.tif', root));
const recording = new URL('../shared/data/audio/jfk.mp3', root);
const spokenText =
  'And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country.';

async function signUp(/** @type {Page} */ page, /** @type {string} */ name) {
  await page.getByRole('button', { name: 'Create an account' }).click();
  const nameField = page.getByRole('textbox', { name: 'Your name' });
  if (await nameField.isVisible()) await nameField.fill(name);
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.getByLabel('Password').press('Enter');
}

async function choose(/** @type {Page} */ page, /** @type {string} */ name, /** @type {Buffer} */ buffer) {
  const mimeType = name.endsWith('.mp3') ? 'audio/mpeg' : 'image/jpeg';
  await page.setInputFiles('input[type=file]', { name, mimeType, buffer });
}

async function rose(/** @type {Page} */ page) {
  await page.getByRole('button', { name: 'Replay a street scene' }).click();
  await page.getByText('Filming', { exact: true }).waitFor();
  await page.waitForTimeout(12_000);
}

async function attendx(/** @type {Page} */ page) {
  const { madeFace } = await import(new URL('examples/attendx/dist/faces/made-face.js', root).href);
  await signUp(page, 'Ada');
  for (const [number, person] of [
    [7, 'Grace Hopper'],
    [11, 'Alan Turing'],
  ]) {
    await choose(page, 'face.jpg', await madeFace(number));
    await page.getByLabel('Name of the person to enrol').fill(String(person));
    await page.getByLabel('Name of the person to enrol').press('Enter');
    await page.getByText(`${person} is enrolled`).waitFor();
  }
  await choose(page, 'face.jpg', await madeFace(7, { shift: [4, 2], tilt: 2, brightness: 1.1 }));
  await page.getByRole('button', { name: 'Take attendance' }).click();
  await page.getByText('Welcome, Grace Hopper').waitFor();
}

async function audio(/** @type {Page} */ page) {
  if (!existsSync(recording)) throw new Error('shared/data/audio/jfk.mp3 is missing beside the repository');
  const name = 'John F. Kennedy, inaugural address.mp3';
  await choose(page, name, readFileSync(recording));
  await page.locator('.pill[data-status=completed]').waitFor();
  await page.locator('summary').click();
  await page.getByLabel(`Spoken text of ${name}`).fill(spokenText);
  await page.getByRole('button', { name: 'Save text' }).click();
  await page.getByRole('button', { name: `Play ${name}` }).click();
  await page.waitForTimeout(6_000);
}

async function road(/** @type {Page} */ page) {
  await page.locator('.live.on').waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Drive 8 cars' }).click();
  await page.waitForTimeout(25_000);
}

async function ocr(/** @type {Page} */ page) {
  await signUp(page, 'Ada');
  await page.getByText('Drop images here').waitFor();
  await page.setInputFiles('input[type=file]', scan);
  await page.locator('.task pre').first().waitFor();
}

/** @type {Scene[]} */
export const scenes = [
  { system: 'rose-tracker', folder: 'rose-tracker', arrange: rose },
  { system: 'attendx', folder: 'attendx', arrange: attendx },
  { system: 'audio', folder: 'audio-streaming', arrange: audio },
  { system: 'road', folder: 'road-quality', arrange: road },
  { system: 'ocr', folder: 'ocr-platform', arrange: ocr },
];
