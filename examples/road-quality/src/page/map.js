/** Draws the world on a canvas. It knows nothing of servers. */
import { colourOf, readTheme } from './colours.js';
import { boxOf, centreOf, covering } from './geohash.js';

const pulseMs = 1_400;
const freshMs = 2_500;
const closeZoom = 13.2;
const mostLabels = 160;

export class MapCanvas {
  selected = '';
  hovered = '';
  theme = readTheme();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import('./view.js').View} view
   * @param {import('./world.js').World} world
   */
  constructor(canvas, view, world) {
    this.canvas = canvas;
    this.view = view;
    this.world = world;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => (this.theme = readTheme()));
  }

  /** Fits the canvas to its place on the page. */
  fit() {
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    this.view.width = Math.max(1, clientWidth);
    this.view.height = Math.max(1, clientHeight);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /**
   * @param {number} now
   * @param {readonly { userId: string, socketId: string, place: { latitude: number, longitude: number } }[]} cars
   */
  draw(now, cars) {
    const { context, view, theme } = this;
    context.fillStyle = theme.ground;
    context.fillRect(0, 0, view.width, view.height);
    this.#grid();
    this.#regions();
    if (view.zoom >= closeZoom) this.#segments(now);
    this.#labels();
    this.#frame(this.hovered, 1.5, theme.label);
    this.#frame(this.selected, 2.5, theme.accent);
    this.#pulses(now);
    this.#members(now, cars);
  }

  /** @param {string} hash */
  #rectangle(hash) {
    const { south, north, west, east } = boxOf(hash);
    const [x, y] = [this.view.x(west), this.view.y(north)];
    return { x, y, width: this.view.x(east) - x, height: this.view.y(south) - y };
  }

  #isSeen({ x, y, width, height }) {
    return x < this.view.width && y < this.view.height && x + width > 0 && y + height > 0;
  }

  #grid() {
    const { context, theme, view } = this;
    for (const [length, most, width] of [
      [6, 700, 1],
      [5, 400, 1],
      [4, 60, 2],
    ]) {
      const cells = covering(view.box, length, most);
      if (!cells) continue;
      context.strokeStyle = length === 6 ? theme.grid : theme.line;
      context.lineWidth = width;
      context.beginPath();
      for (const cell of cells) {
        const { x, y, width: w, height: h } = this.#rectangle(cell);
        context.rect(Math.round(x) + 0.5, Math.round(y) + 0.5, Math.round(w), Math.round(h));
      }
      context.stroke();
    }
  }

  #regions() {
    const { context, view } = this;
    const isClose = view.zoom >= closeZoom;
    for (const [id, { quality }] of this.world.regions) {
      if (quality === null) continue;
      const { x, y, width, height } = this.#rectangle(id);
      if (!this.#isSeen({ x, y, width, height })) continue;
      context.fillStyle = colourOf(quality, isClose ? 0.13 : 0.72);
      context.fillRect(x + 0.5, y + 0.5, width - 1, height - 1);
    }
  }

  #segments(now) {
    const { context, view } = this;
    const least = view.zoom < 15 ? 1.5 : 0;
    for (const [id, { quality, heardAt }] of this.world.segments) {
      const { x, y, width, height } = this.#rectangle(id);
      if (!this.#isSeen({ x, y, width, height })) continue;
      const age = now - heardAt;
      const glow = age < freshMs && heardAt > 0 ? 1 - age / freshMs : 0;
      context.fillStyle = colourOf(quality, 0.85);
      const grow = least + glow * 3;
      context.beginPath();
      context.roundRect(x - grow, y - grow, width + grow * 2, height + grow * 2, Math.min(width / 3, 6) + grow);
      context.fill();
    }
  }

  #labels() {
    const { context, theme, view } = this;
    const length = view.zoom >= 13.6 ? 6 : view.zoom >= 11.4 ? 5 : 4;
    const cells = covering(view.box, length, mostLabels);
    if (!cells) return;
    context.fillStyle = theme.label;
    context.font = '500 11px ui-monospace, Menlo, monospace';
    context.textBaseline = 'top';
    for (const cell of cells) {
      const { x, y, width } = this.#rectangle(cell);
      if (width > 60) context.fillText(cell, x + 6, y + 6);
    }
  }

  #frame(hash, width, colour) {
    if (hash === '') return;
    const { x, y, width: w, height: h } = this.#rectangle(hash);
    this.context.strokeStyle = colour;
    this.context.lineWidth = width;
    this.context.strokeRect(x, y, w, h);
  }

  #pulses(now) {
    const { context, view, world } = this;
    world.pulses = world.pulses.filter(({ at }) => now - at < pulseMs).slice(-400);
    for (const { latitude, longitude, quality, at } of world.pulses) {
      const age = (now - at) / pulseMs;
      context.strokeStyle = colourOf(quality, 1 - age);
      context.lineWidth = 2.5 * (1 - age) + 0.5;
      context.beginPath();
      context.arc(view.x(longitude), view.y(latitude), 6 + age * 20, 0, Math.PI * 2);
      context.stroke();
    }
  }

  #members(now, cars) {
    const own = new Map(cars.map((car) => [car.socketId, car]));
    for (const [id, member] of this.world.members) {
      if (own.has(id)) continue;
      member.latitude += (member.toLatitude - member.latitude) * 0.06;
      member.longitude += (member.toLongitude - member.longitude) * 0.06;
      this.#dot(member, 5.5, this.theme.ink, '');
    }
    const names = this.view.zoom >= 14;
    for (const { place, userId } of cars) {
      this.#dot(place, 7, this.theme.accent, names ? (userId.split('-')[0] ?? '') : '');
    }
  }

  #dot({ latitude, longitude }, radius, colour, name) {
    const { context, view, theme } = this;
    const [x, y] = [view.x(longitude), view.y(latitude)];
    context.beginPath();
    context.arc(x, y, radius, 0, Math.PI * 2);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = theme.surface;
    context.stroke();
    if (name === '') return;
    context.font = '600 12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.lineWidth = 4;
    context.strokeText(name, x + radius + 5, y);
    context.fillStyle = theme.ink;
    context.fillText(name, x + radius + 5, y);
  }

  /** Brings a region into the middle. @param {string} hash */
  showRegion(hash) {
    const { latitude, longitude } = centreOf(hash);
    this.view.centre(latitude, longitude);
  }
}
