/** Mouse, fingers and keys on the map. */
import { encode } from './geohash.js';

/** A press that moves less is a click. */
const clickPixels = 6;
const stepPixels = 90;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import('./view.js').View} view
 * @param {{ mostAreas: number, onMove: () => void, onHover: (regionId: string) => void, onPick: (regionId: string) => void }} options
 */
export function listenForHands(canvas, view, { mostAreas, onMove, onHover, onPick }) {
  /** @type {Map<number, { x: number, y: number }>} */
  const fingers = new Map();
  let travelled = 0;

  const zoomBy = (by, x, y) => {
    view.zoomBy(by, x, y, mostAreas);
    onMove();
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return a && b ? { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : undefined;
  };
  const placeOf = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const regionAt = ({ x, y }) => encode(view.place(x, y), 6);

  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (fingers.size === 0) travelled = 0;
    fingers.set(event.pointerId, placeOf(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    const now = placeOf(event);
    const before = fingers.get(event.pointerId);
    if (!before) return onHover(regionAt(now));
    const wide = spread();
    fingers.set(event.pointerId, now);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    view.pan((now.x - before.x) / fingers.size, (now.y - before.y) / fingers.size);
    const wider = spread();
    if (wide && wider && wide.distance > 0) zoomBy(Math.log2(wider.distance / wide.distance), wider.x, wider.y);
    onMove();
  });
  canvas.addEventListener('pointerup', (event) => {
    if (fingers.delete(event.pointerId) && travelled < clickPixels) onPick(regionAt(placeOf(event)));
  });
  canvas.addEventListener('pointercancel', (event) => fingers.delete(event.pointerId));
  canvas.addEventListener('pointerleave', () => onHover(''));
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { x, y } = placeOf(event);
      zoomBy(Math.max(-0.6, Math.min(0.6, -event.deltaY / 300)), x, y);
    },
    { passive: false },
  );
  canvas.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const [dx, dy] = steps[event.key] ?? [0, 0];
    const middle = { x: view.width / 2, y: view.height / 2 };
    if (dx !== 0 || dy !== 0) view.pan(dx * stepPixels, dy * stepPixels);
    else if (event.key === '+' || event.key === '=') zoomBy(0.5, middle.x, middle.y);
    else if (event.key === '-') zoomBy(-0.5, middle.x, middle.y);
    else if (event.key === 'Enter' || event.key === ' ') onPick(regionAt(middle));
    else return;
    event.preventDefault();
    onMove();
  });
  return { zoomBy: (by) => zoomBy(by, view.width / 2, view.height / 2) };
}
