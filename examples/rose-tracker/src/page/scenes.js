/** What the camera of this page films: for each frame number the roses in view, with a box to draw each in. */
import { streetTracks } from './street-tracks.js';

/**
 * @typedef {{ id: string, x: number, y: number, width: number, height: number }} Sighting
 * @typedef {{ title: string, note: string, frames: number, look: 'boxes' | 'roses', at: (frame: number) => Sighting[] }} Scene
 */

/** Size of the picture, in its own pixels. */
export const picture = { width: 640, height: 480 };

/** @returns {Sighting | undefined} */
function between(track, id, frame) {
  const next = track.findIndex(([at]) => at >= frame);
  const [from, to] = [track[Math.max(next - 1, 0)], track[next]];
  if (to === undefined || frame < track[0][0]) return undefined;
  const share = to === from ? 0 : (frame - from[0]) / (to[0] - from[0]);
  const [x, y, width, height] = [1, 2, 3, 4].map((part) => from[part] + (to[part] - from[part]) * share);
  return { id, x, y, width, height };
}

/** @type {Scene} */
const street = {
  title: 'Street scene',
  note: 'Real tracks of ten people in a street stand in for roses.',
  frames: 179,
  look: 'boxes',
  at: (frame) => streetTracks.flatMap((track, index) => between(track, `person-${index + 1}`, frame) ?? []),
};

const bed = { roses: 60, spacing: 46, step: 5 };

/** A number from 0 to 1 that looks like chance and is the same for the same numbers. */
function chance(first, second) {
  const wave = Math.sin(first * 127.1 + second * 311.7) * 43_758.5453;
  return wave - Math.floor(wave);
}

/** @returns {Sighting} */
function roseAt(rose, frame) {
  const size = 44 + 34 * chance(rose, 1);
  const sway = 5 * Math.sin(frame / 7 + rose);
  const x = 60 + rose * bed.spacing - (frame - 1) * bed.step + sway;
  const y = 80 + 290 * chance(rose, 2);
  return { id: `rose-${rose + 1}`, x, y, width: size, height: size };
}

/** @type {Scene} */
const garden = {
  title: 'Rose garden',
  note: 'A camera moves along a bed of 60 roses. The tracker overlooks one now and then, which the display smooths away.',
  frames: Math.ceil((60 + bed.roses * bed.spacing - picture.width) / bed.step),
  look: 'roses',
  at: (frame) =>
    Array.from({ length: bed.roses }, (_, rose) => roseAt(rose, frame))
      .filter(({ x, width }) => x > -width / 3 && x + width < picture.width + width / 3)
      .filter((_rose, index) => chance(index, frame) > 0.05),
};

/** @type {Readonly<Record<string, Scene>>} */
export const scenes = { street, garden };
