import sharp from 'sharp';

/** What one picture of a person is like: nobody holds still. */
export interface Shot {
  /** Pixels to the right and down, of a picture of 320. */
  readonly shift?: readonly [right: number, down: number];
  /** 1 as it is. */
  readonly brightness?: number;
  /** Degrees. */
  readonly tilt?: number;
  /** Standard deviation of the noise, of 255. */
  readonly noise?: number;
}

const size = 320;

/**
 * A picture of a person who does not exist, drawn from simple shapes: the same number always gives the same face. For
 * trying things out without photographs of anybody.
 *
 * @param person a whole number from 0.
 * @returns a JPEG of 320 x 320 pixels.
 */
export async function madeFace(person: number, shot: Shot = {}): Promise<Buffer> {
  const { shift = [0, 0], brightness = 1, tilt = 0, noise = 0 } = shot;
  const svg = Buffer.from(drawing(person, `translate(${shift.join(' ')}) rotate(${tilt} 160 160)`));
  const drawn = sharp(svg).flatten().modulate({ brightness });
  if (noise > 0) {
    const create = { width: size, height: size, channels: 3, noise: { type: 'gaussian', mean: 128, sigma: noise } } as const;
    const grain = await sharp({ create: { ...create, background: '#808080' } }).png().toBuffer();
    drawn.composite([{ input: grain, blend: 'soft-light' }]);
  }
  return drawn.jpeg({ quality: 85 }).toBuffer();
}

function drawing(person: number, transform: string): string {
  const any = numbersOf(person);
  const between = (least: number, most: number): number => Math.round(least + any() * (most - least));
  const oneOf = (values: readonly string[]): string => values[Math.floor(any() * values.length)] ?? '';
  const skin = oneOf(['#f6d6bd', '#e8b98f', '#c98d5e', '#a06a42', '#6f4528']);
  const hair = oneOf(['#201a17', '#4a2f1d', '#8a5a2b', '#c9a15a', '#b9b4ae', '#8c2f1b']);
  const wall = oneOf(['#d8dde6', '#9db4c0', '#5c6f82', '#e9e2d0', '#7b8f6f']);
  const shirt = oneOf(['#263a6b', '#8a2b3a', '#2d6a4f', '#ddd7c8', '#3b3b3b']);
  const [wide, tall] = [between(58, 88), between(82, 112)];
  const [eyes, eyeLine, eye] = [between(22, 40), between(138, 158), between(6, 12)];
  const [brow, mouth, smile] = [between(-8, 8), between(18, 40), between(-6, 16)];
  const fringe = between(10, 60);
  const long = any() < 0.5 ? `<rect x="${160 - wide - 12}" y="120" width="${2 * wide + 24}" height="${between(60, 150)}" rx="30" fill="${hair}"/>` : '';
  const beard = any() < 0.35 ? `<ellipse cx="160" cy="${165 + tall * 0.62}" rx="${wide * 0.8}" ry="${tall * 0.42}" fill="${hair}"/>` : '';
  const glasses = any() < 0.4 ? [-1, 1].map((s) => `<circle cx="${160 + s * eyes}" cy="${eyeLine}" r="${eye + 10}" fill="none" stroke="#111" stroke-width="5"/>`).join('') : '';
  const feature = (s: number): string =>
    `<ellipse cx="${160 + s * eyes}" cy="${eyeLine}" rx="${eye + 4}" ry="${eye}" fill="#fff"/><circle cx="${160 + s * eyes}" cy="${eyeLine}" r="${eye * 0.6}" fill="#20242c"/>` +
    `<path d="M${160 + s * (eyes - 16)} ${eyeLine - 22 + brow}L${160 + s * (eyes + 16)} ${eyeLine - 22 - brow}" stroke="${hair}" stroke-width="7"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="${size}" height="${size}" fill="${wall}"/><g transform="${transform}">
${long}<rect x="130" y="220" width="60" height="70" fill="${skin}"/><ellipse cx="160" cy="345" rx="${between(100, 150)}" ry="80" fill="${shirt}"/>
<ellipse cx="160" cy="165" rx="${wide}" ry="${tall}" fill="${skin}"/>${beard}
<path d="M${160 - wide - 4} 150 Q${160 - wide} ${165 - tall - 40} 160 ${165 - tall - 20} T${160 + wide + 4} 150 Q${160 + fringe} ${165 - tall + fringe} 160 ${165 - tall + fringe} T${160 - wide - 4} 150Z" fill="${hair}"/>
${feature(-1)}${feature(1)}${glasses}<path d="M160 ${eyeLine + 8}l${between(-8, 8)} ${between(24, 40)}h8" stroke="#0005" stroke-width="5" fill="none"/>
<path d="M${160 - mouth} ${165 + tall * 0.55}q${mouth} ${smile} ${2 * mouth} 0" stroke="#a33b3b" stroke-width="8" fill="none"/></g></svg>`;
}

/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
function numbersOf(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
