/** Geohashes: names of rectangles on Earth, each 32 of the one before. */

const alphabet = '0123456789bcdefghjkmnpqrstuvwxyz';

/**
 * @typedef {{ south: number, north: number, west: number, east: number }} Box degrees
 * @typedef {{ latitude: number, longitude: number }} Place degrees
 */

/**
 * The geohash of `length` at a place.
 * @param {Place} place
 * @param {number} length
 */
export function encode({ latitude, longitude }, length) {
  const box = { south: -90, north: 90, west: -180, east: 180 };
  let hash = '';
  let digit = 0;
  for (let step = 0; step < length * 5; step++) {
    const isEastern = step % 2 === 0;
    const middle = isEastern ? (box.west + box.east) / 2 : (box.south + box.north) / 2;
    const isUpper = (isEastern ? longitude : latitude) >= middle;
    if (isEastern) box[isUpper ? 'west' : 'east'] = middle;
    else box[isUpper ? 'south' : 'north'] = middle;
    digit = digit * 2 + (isUpper ? 1 : 0);
    if (step % 5 === 4) [hash, digit] = [hash + alphabet[digit], 0];
  }
  return hash;
}

/**
 * The rectangle of a geohash.
 * @param {string} hash
 * @returns {Box}
 */
export function boxOf(hash) {
  const known = boxes.get(hash);
  if (known) return known;
  const box = { south: -90, north: 90, west: -180, east: 180 };
  let isEastern = true;
  for (const character of hash) {
    const digit = alphabet.indexOf(character);
    for (let bit = 16; bit >= 1; bit /= 2) {
      const isUpper = (digit & bit) !== 0;
      if (isEastern) box[isUpper ? 'west' : 'east'] = (box.west + box.east) / 2;
      else box[isUpper ? 'south' : 'north'] = (box.south + box.north) / 2;
      isEastern = !isEastern;
    }
  }
  if (boxes.size > 50_000) boxes.clear();
  boxes.set(hash, box);
  return box;
}

/** @type {Map<string, Box>} */
const boxes = new Map();

/**
 * The middle of a geohash.
 * @param {string} hash
 * @returns {Place}
 */
export function centreOf(hash) {
  const { south, north, west, east } = boxOf(hash);
  return { latitude: (south + north) / 2, longitude: (west + east) / 2 };
}

/** Height and width of a geohash of `length`, in degrees. @param {number} length */
export function sizeOf(length) {
  const bits = length * 5;
  return { height: 180 / 2 ** Math.floor(bits / 2), width: 360 / 2 ** Math.ceil(bits / 2) };
}

/**
 * The geohashes of `length` that a rectangle touches, or undefined where they are more than `most`.
 * @param {Box} box
 * @param {number} length
 * @param {number} most
 * @returns {string[] | undefined}
 */
export function covering(box, length, most) {
  const { height, width } = sizeOf(length);
  const [south, north] = [Math.max(box.south, -90), Math.min(box.north, 89.999_999)];
  const [west, east] = [Math.max(box.west, -180), Math.min(box.east, 179.999_999)];
  const rows = Math.floor((north + 90) / height) - Math.floor((south + 90) / height) + 1;
  const columns = Math.floor((east + 180) / width) - Math.floor((west + 180) / width) + 1;
  if (rows * columns > most) return undefined;
  const first = centreOf(encode({ latitude: south, longitude: west }, length));
  return Array.from({ length: rows * columns }, (_, index) =>
    encode(
      {
        latitude: first.latitude + height * Math.floor(index / columns),
        longitude: first.longitude + width * (index % columns),
      },
      length,
    ),
  );
}

/** Whether `text` is a geohash of 1 to 8 characters. @param {string} text */
export function isGeohash(text) {
  return /^[0-9b-hjkmnp-z]{1,8}$/.test(text);
}
