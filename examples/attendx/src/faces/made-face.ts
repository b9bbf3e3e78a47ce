import sharp from 'sharp';
import { type FaceTraits, faceTraits } from './face-traits.js';

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
/** Where the middle of the head is. */
const [middle, head] = [160, 165];

/**
 * A picture of a person who does not exist, drawn from simple shapes: the same number always gives the same face. For
 * trying things out without photographs of anybody.
 *
 * @param person a whole number from 0.
 * @returns a JPEG of 320 x 320 pixels.
 */
export async function madeFace(person: number, shot: Shot = {}): Promise<Buffer> {
  const { shift = [0, 0], brightness = 1, tilt = 0, noise = 0 } = shot;
  const move = `translate(${shift.join(' ')}) rotate(${tilt} ${middle} ${middle})`;
  const drawn = sharp(Buffer.from(drawing(faceTraits(person), move)))
    .flatten()
    .modulate({ brightness });
  if (noise > 0) drawn.composite([{ input: await grain(noise), blend: 'soft-light' }]);
  return drawn.jpeg({ quality: 85 }).toBuffer();
}

function grain(sigma: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma } as const;
  return sharp({ create: { width: size, height: size, channels: 3, background: '#808080', noise } })
    .png()
    .toBuffer();
}

function drawing(traits: FaceTraits, move: string): string {
  const { wide, tall, skin, wall, shirt, shoulders } = traits;
  const parts = [
    locks(traits),
    `<rect x="130" y="220" width="60" height="70" fill="${skin}"/>`,
    ellipse(middle, 345, [shoulders, 80], shirt),
    ellipse(middle, head, [wide, tall], skin),
    traits.beard ? ellipse(middle, head + tall * 0.62, [wide * 0.8, tall * 0.42], traits.hair) : '',
    hair(traits),
    eye(traits, -1),
    eye(traits, 1),
    noseAndMouth(traits),
  ];
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">`;
  return `${open}<rect width="${size}" height="${size}" fill="${wall}"/><g transform="${move}">${parts.join('')}</g></svg>`;
}

function locks({ locks: length, wide, hair: colour }: FaceTraits): string {
  if (length === 0) return '';
  const left = middle - wide - 12;
  return `<rect x="${left}" y="120" width="${2 * wide + 24}" height="${length}" rx="30" fill="${colour}"/>`;
}

function hair({ wide, tall, fringe, hair: colour }: FaceTraits): string {
  const [left, right, top] = [middle - wide, middle + wide, head - tall];
  const over = `M${left - 4} 150Q${left} ${top - 40} ${middle} ${top - 20}T${right + 4} 150`;
  const back = `Q${middle + fringe} ${top + fringe} ${middle} ${top + fringe}T${left - 4} 150Z`;
  return `<path d="${over}${back}" fill="${colour}"/>`;
}

/** `side` is -1 for the left one of the picture, 1 for the right one. */
function eye({ eyes, eyeLine, eye: radius, brow, hair: colour, glasses }: FaceTraits, side: number): string {
  const x = middle + side * eyes;
  const [outer, inner] = [middle + side * (eyes - 16), middle + side * (eyes + 16)];
  const brows = `M${outer} ${eyeLine - 22 + brow}L${inner} ${eyeLine - 22 - brow}`;
  const ring = `<circle cx="${x}" cy="${eyeLine}" r="${radius + 10}" fill="none" stroke="#111" stroke-width="5"/>`;
  return [
    ellipse(x, eyeLine, [radius + 4, radius], '#fff'),
    ellipse(x, eyeLine, [radius * 0.6, radius * 0.6], '#20242c'),
    `<path d="${brows}" stroke="${colour}" stroke-width="7"/>`,
    glasses ? ring : '',
  ].join('');
}

function noseAndMouth({ eyeLine, nose, tall, mouth, smile }: FaceTraits): string {
  const noseLine = `M${middle} ${eyeLine + 8}l${nose.join(' ')}h8`;
  const mouthLine = `M${middle - mouth} ${head + tall * 0.55}q${mouth} ${smile} ${2 * mouth} 0`;
  return [
    `<path d="${noseLine}" stroke="#0005" stroke-width="5" fill="none"/>`,
    `<path d="${mouthLine}" stroke="#a33b3b" stroke-width="8" fill="none"/>`,
  ].join('');
}

function ellipse(x: number, y: number, [across, down]: readonly [number, number], fill: string): string {
  return `<ellipse cx="${x}" cy="${y}" rx="${across}" ry="${down}" fill="${fill}"/>`;
}
