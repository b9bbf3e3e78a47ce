/** The colours of the map: those of the page, and one scale for the state of a road. */

/** Brick to teal by way of sand: told apart also by people who see red and green alike. */
const stops = [
  [0, [178, 50, 60]],
  [30, [222, 108, 70]],
  [55, [238, 186, 92]],
  [78, [104, 184, 150]],
  [100, [20, 140, 132]],
];

/** @param {number} quality 0 to 100 @param {number} [alpha] */
export function colourOf(quality, alpha = 1) {
  const above = stops.findIndex(([at]) => at >= quality);
  const [to, high] = stops[Math.max(above, 1)];
  const [from, low] = stops[Math.max(above, 1) - 1];
  const share = Math.max(0, Math.min(1, (quality - from) / (to - from)));
  const mixed = low.map((value, index) => Math.round(value + (high[index] - value) * share));
  return `rgb(${mixed.join(' ')} / ${alpha})`;
}

/** In words. @param {number | null} quality */
export function wordFor(quality) {
  if (quality === null) return 'not reported yet';
  if (quality >= 80) return 'smooth';
  if (quality >= 60) return 'fair';
  if (quality >= 40) return 'worn';
  return quality >= 20 ? 'rough' : 'broken';
}

/** The page's own colours, by their names in the style sheet. */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: read('map'),
    grid: read('map-grid'),
    line: read('map-line'),
    label: read('map-label'),
    ink: read('ink'),
    accent: read('accent'),
    surface: read('surface'),
  };
}
