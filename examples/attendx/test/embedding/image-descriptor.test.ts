import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { cosineSimilarity } from '../../src/embedding/embedding.js';
import { imageDescriptor } from '../../src/embedding/image-descriptor.js';
import { madeFace, type Shot } from '../../src/faces/made-face.js';

const people = 40;
const { embed, threshold } = imageDescriptor;

/** A scanned page of the data collection, which has to lie beside the repository. */
async function scan(name: string): Promise<Buffer> {
  const path = fileURLToPath(new URL(`../../../../../shared/data/ocr/${name}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`shared/data/ocr/${name} is needed beside the repository`);
  return sharp(await readFile(path))
    .png()
    .toBuffer();
}

describe('the built-in image descriptor', () => {
  let enrolled: Float32Array[] = [];
  beforeAll(async () => {
    const faces = Array.from({ length: people }, async (_, person) => embed(await madeFace(person)));
    enrolled = await Promise.all(faces);
  }, 60_000);

  it('is a vector of 288 numbers, the same for the same image in any format', async () => {
    const face = await madeFace(1);
    const [jpeg, png, webp] = await Promise.all([
      embed(face),
      embed(await sharp(face).png().toBuffer()),
      embed(await sharp(face).webp({ quality: 90 }).toBuffer()),
    ]);
    expect(jpeg).toBeInstanceOf(Float32Array);
    expect(jpeg).toHaveLength(288);
    expect(cosineSimilarity(jpeg, png)).toBeGreaterThan(0.999);
    expect(cosineSimilarity(jpeg, webp)).toBeGreaterThan(0.99);
  });

  it.each<[string, Shot]>([
    ['in more light', { brightness: 1.25 }],
    ['in less light', { brightness: 0.7 }],
    ['with noise', { noise: 40 }],
    ['to the side', { shift: [6, 4] }],
    ['tilted', { tilt: 4 }],
    ['all of it', { shift: [-5, 4], tilt: -3, noise: 25, brightness: 1.15 }],
  ])('finds each of forty made faces again, %s, above the threshold', async (_name, shot) => {
    for (let person = 0; person < people; person++) {
      const seen = await embed(await madeFace(person, shot));
      const similarities = enrolled.map((one) => cosineSimilarity(one, seen));
      const best = Math.max(...similarities);
      expect(similarities.indexOf(best)).toBe(person);
      expect(best).toBeGreaterThan(threshold);
    }
  });

  it('takes one made face for another in less than 1 of 200 pairs', () => {
    const pairs = enrolled.flatMap((one, index) =>
      enrolled.slice(0, index).map((other) => cosineSimilarity(one, other)),
    );
    const mistaken = pairs.filter((similarity) => similarity >= threshold).length;
    expect(mistaken / pairs.length).toBeLessThan(0.005);
  });

  it.each(['phototest.tif', 'eurotext.tif', 'HelloGoogle.tif'])(
    'does not take %s, a scanned page, for anybody',
    async (name) => {
      const page = await embed(await scan(name));
      expect(Math.max(...enrolled.map((one) => cosineSimilarity(one, page)))).toBeLessThan(0.7);
    },
  );

  it('finds nothing alike in one colour', async () => {
    const create = { width: 50, height: 50, channels: 3, background: '#888' } as const;
    const blank = await embed(await sharp({ create }).png().toBuffer());
    expect(cosineSimilarity(blank, blank)).toBe(0);
  });

  it('turns a picture as its EXIF tag says', async () => {
    const face = await madeFace(3);
    const turned = await sharp(face).rotate(90).withMetadata({ orientation: 8 }).jpeg().toBuffer();
    expect(cosineSimilarity(await embed(turned), enrolled[3] ?? new Float32Array())).toBeGreaterThan(0.98);
  });

  it('refuses a small file with 41 million pixels, cheaply', async () => {
    const create = { width: 8_000, height: 5_100, channels: 3, background: '#fff' } as const;
    const bomb = await sharp({ create }).png({ palette: true, compressionLevel: 9 }).toBuffer();
    expect(bomb.length).toBeLessThan(200_000);
    const before = process.memoryUsage().rss;
    await expect(embed(bomb)).rejects.toMatchObject({ kind: 'unreadable', message: /40 million pixels/ });
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['GIF', Buffer.from('GIF89a')],
    ['TIFF', Buffer.from('II*\0\0\0\0\0')],
  ])('refuses %s by its first bytes', async (_name, bytes) => {
    await expect(embed(bytes)).rejects.toMatchObject({ kind: 'unsupported' });
  });
});
