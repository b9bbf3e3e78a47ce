/** Numbers and names as people read them. */

/** @param {number} seconds */
export function duration(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** @param {number} count */
export function bytes(count) {
  if (count < 1_000_000) return `${Math.ceil(count / 1_000)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** How long ago. @param {number} ms */
export function since(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3_600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}

/** A hue of its own for each container, the same on every page. @param {string} name */
export function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 360;
  return (sum * 137 + 190) % 360;
}

/** What is held, without the middle of long ids. @param {string} name */
export function shortName(name) {
  return name.replace(/[0-9a-f]{64}/g, (id) => id.slice(0, 8)).replace(/([0-9a-f]{8})-[0-9a-f-]{27}/g, '$1');
}
