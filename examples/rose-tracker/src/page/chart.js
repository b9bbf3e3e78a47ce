/** A small chart of counts over frames: what each frame showed, and the smoothed line through it. */

const size = { width: 600, height: 240, left: 28, bottom: 18, top: 8 };
const shown = 180;

/** @returns {any} */
function shape(name, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** A chart in an `svg` element of the page. */
export class Chart {
  #svg;
  /** @type {{ frame: number, seen: number, display: number }[]} */
  #points = [];

  /** @param {SVGElement} svg */
  constructor(svg) {
    this.#svg = svg;
    svg.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
    this.#draw();
  }

  clear() {
    this.#points = [];
    this.#draw();
  }

  /** @param {{ frame: number, seen: number, display: number }} point */
  add(point) {
    this.#points = [...this.#points, point].slice(-shown);
    this.#draw();
  }

  #draw() {
    const highest = Math.max(4, ...this.#points.map(({ seen }) => seen));
    const x = (index) => size.left + (index / (shown - 1)) * (size.width - size.left - 4);
    const y = (count) => size.height - size.bottom - (count / highest) * (size.height - size.bottom - size.top);
    const grid = [0, Math.round(highest / 2), highest].flatMap((count) => {
      const label = shape('text', { x: size.left - 6, y: y(count) + 4, class: 'chart-label' });
      label.textContent = String(count);
      return [shape('line', { x1: size.left, x2: size.width, y1: y(count), y2: y(count), class: 'chart-grid' }), label];
    });
    const dots = this.#points.map(({ seen }, index) =>
      shape('circle', { cx: x(index), cy: y(seen), r: 1.8, class: 'chart-dot' }),
    );
    const line = this.#points.map(({ display }, index) => `${x(index)},${y(display)}`).join(' ');
    this.#svg.replaceChildren(...grid, ...dots, shape('polyline', { points: line, class: 'chart-line' }));
  }
}
