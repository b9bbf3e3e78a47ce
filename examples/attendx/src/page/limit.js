/** What the limiter says of itself, from the headers of every answer that it had a hand in; the clock runs on between them. */

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

let resetAtMs = 0;
let limit = 0;

/**
 * Shows `RateLimit: "enroll";r=4;t=3600` and `RateLimit-Policy: "enroll";q=5;w=3600`.
 * @param {Headers} headers
 */
export function showLimit(headers) {
  const state = parameters(headers.get('RateLimit'));
  const policy = parameters(headers.get('RateLimit-Policy'));
  if (state['r'] === undefined || policy['q'] === undefined) return;
  limit = policy['q'];
  resetAtMs = Date.now() + (state['t'] ?? 0) * 1_000;
  show(state['r']);
  const names = ['RateLimit', 'RateLimit-Policy', 'Retry-After'];
  const lines = names.flatMap((name) => (headers.has(name) ? [`${name}: ${headers.get(name)}`] : []));
  byId('headers').textContent = lines.join('\n');
}

/** @param {number} remaining */
function show(remaining) {
  byId('remaining').textContent = String(remaining);
  byId('limit').textContent = String(limit);
  byId('ring').style.strokeDasharray = `${(100 * remaining) / limit} 100`;
  byId('ring')
    .closest('.limit')
    .classList.toggle('spent', remaining === 0);
  tick();
}

function tick() {
  const leftMs = resetAtMs - Date.now();
  if (limit > 0 && resetAtMs > 0 && leftMs <= 0 && byId('remaining').textContent !== String(limit)) {
    show(limit);
    return;
  }
  const seconds = Math.ceil(leftMs / 1_000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  byId('reset').textContent = seconds > 0 ? `All of them again in ${clock}` : 'The hour begins with the next one.';
}

/** The numbers of a structured header: `"enroll";r=4;t=3600` is `{ r: 4, t: 3600 }`. @param {string | null} header */
function parameters(header) {
  const pairs = [...(header ?? '').matchAll(/;\s*([a-z]+)=(\d+)/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, Number(value)]));
}

setInterval(tick, 1_000);
