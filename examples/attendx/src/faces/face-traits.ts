/** How a made face looks. Lengths are in pixels of a picture of 320 x 320, colours as SVG has them. */
export interface FaceTraits {
  readonly skin: string;
  readonly hair: string;
  readonly wall: string;
  readonly shirt: string;
  /** Half axes of the head. */
  readonly wide: number;
  readonly tall: number;
  /** From the middle to an eye, down to both, and the size of one. */
  readonly eyes: number;
  readonly eyeLine: number;
  readonly eye: number;
  /** How much the brows slope. */
  readonly brow: number;
  /** Half the width of the mouth, and how far its ends turn up. */
  readonly mouth: number;
  readonly smile: number;
  readonly fringe: number;
  /** How far the hair hangs down at the sides; 0 for not at all. */
  readonly locks: number;
  readonly beard: boolean;
  readonly glasses: boolean;
  readonly shoulders: number;
  readonly nose: readonly [right: number, down: number];
}

/** The traits of a person, always the same for the same number. */
export function faceTraits(person: number): FaceTraits {
  const any = numbersOf(person);
  const between = (least: number, most: number): number => Math.round(least + any() * (most - least));
  const oneOf = (values: readonly string[]): string => values[Math.floor(any() * values.length)] ?? '';
  return {
    skin: oneOf(['#f6d6bd', '#e8b98f', '#c98d5e', '#a06a42', '#6f4528']),
    hair: oneOf(['#201a17', '#4a2f1d', '#8a5a2b', '#c9a15a', '#b9b4ae', '#8c2f1b']),
    wall: oneOf(['#d8dde6', '#9db4c0', '#5c6f82', '#e9e2d0', '#7b8f6f']),
    shirt: oneOf(['#263a6b', '#8a2b3a', '#2d6a4f', '#ddd7c8', '#3b3b3b']),
    wide: between(58, 88),
    tall: between(82, 112),
    eyes: between(22, 40),
    eyeLine: between(138, 158),
    eye: between(6, 12),
    brow: between(-8, 8),
    mouth: between(18, 40),
    smile: between(-6, 16),
    fringe: between(10, 60),
    locks: any() < 0.5 ? between(60, 150) : 0,
    beard: any() < 0.35,
    glasses: any() < 0.4,
    shoulders: between(100, 150),
    nose: [between(-8, 8), between(24, 40)],
  };
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
