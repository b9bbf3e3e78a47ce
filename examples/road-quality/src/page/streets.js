/** A made-up town, the same for everybody: a bent grid of streets, each in its own state of repair. */

/** Degrees between two streets. */
const spacing = 1 / 320;

/** Smooth, repeatable noise around 0, at most 1 away. @param {number} x @param {number} y */
function noise(x, y) {
  return (Math.sin(x * 1.7 + Math.cos(y * 1.3) * 2) + Math.sin(y * 2.1 + Math.cos(x * 0.9) * 2)) / 2;
}

/** A number from 0 to 1 for a street. @param {number} a @param {number} b */
function chance(a, b) {
  const x = Math.sin(a * 127.1 + b * 311.7) * 43_758.545_3;
  return x - Math.floor(x);
}

/** Where a point of the grid lies on Earth. @param {number} column @param {number} row */
export function placeAt(column, row) {
  return {
    latitude: row * spacing * 0.86 + Math.sin(column * 0.55) * spacing * 0.5 + Math.sin(row * 0.33) * spacing * 0.3,
    longitude: column * spacing + Math.sin(row * 0.47) * spacing * 0.55,
  };
}

/** The crossing near a place. @param {{ latitude: number, longitude: number }} place */
export function crossingNear({ latitude, longitude }) {
  return { column: Math.round(longitude / spacing), row: Math.round(latitude / (spacing * 0.86)) };
}

/** The state of the road, 0 to 100, as a car there would measure it. @param {number} column @param {number} row */
export function qualityAt(column, row) {
  const isAlong = Number.isInteger(row);
  const street = isAlong ? chance(row, 7) : chance(column, 13);
  const quality = 58 + (street - 0.5) * 50 + noise(column * 0.35, row * 0.35) * 34 + (Math.random() - 0.5) * 8;
  return Math.round(Math.max(2, Math.min(99, quality)) * 10) / 10;
}
