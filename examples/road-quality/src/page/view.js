/** What part of Earth the canvas shows: Mercator's projection, in which geohashes stay rectangles. */
import { covering } from './geohash.js';

const tile = 256;
export const most = 18.5;

/** @param {number} latitude degrees */
function mercator(latitude) {
  const bounded = Math.max(-85, Math.min(85, latitude));
  return Math.log(Math.tan(Math.PI / 4 + (bounded * Math.PI) / 360)) / (2 * Math.PI);
}

/** @param {number} y */
function inverse(y) {
  return (360 / Math.PI) * Math.atan(Math.exp(y * 2 * Math.PI)) - 90;
}

export class View {
  width = 1;
  height = 1;
  zoom = 14;
  latitude = 0;
  longitude = 0;

  /** Pixels that the whole way around Earth would take. */
  get scale() {
    return tile * 2 ** this.zoom;
  }

  /** @param {number} longitude */
  x(longitude) {
    return ((longitude - this.longitude) / 360) * this.scale + this.width / 2;
  }

  /** @param {number} latitude */
  y(latitude) {
    return (mercator(this.latitude) - mercator(latitude)) * this.scale + this.height / 2;
  }

  /** The place under a pixel. @param {number} x @param {number} y */
  place(x, y) {
    return {
      latitude: inverse(mercator(this.latitude) - (y - this.height / 2) / this.scale),
      longitude: this.longitude + ((x - this.width / 2) / this.scale) * 360,
    };
  }

  /** The rectangle that is seen. */
  get box() {
    const [northWest, southEast] = [this.place(0, 0), this.place(this.width, this.height)];
    const { latitude: north, longitude: west } = northWest;
    const { latitude: south, longitude: east } = southEast;
    return { south, north, west, east };
  }

  /** Moves what is seen by pixels. @param {number} dx @param {number} dy */
  pan(dx, dy) {
    const { latitude, longitude } = this.place(this.width / 2 - dx, this.height / 2 - dy);
    this.centre(latitude, longitude);
  }

  /** @param {number} latitude @param {number} longitude */
  centre(latitude, longitude) {
    this.latitude = Math.max(-80, Math.min(80, latitude));
    this.longitude = Math.max(-179, Math.min(179, longitude));
  }

  /**
   * Changes the scale around a pixel, no further out than `mostAreas` areas.
   * @param {number} by 1 doubles
   * @param {number} x
   * @param {number} y
   * @param {number} mostAreas
   */
  zoomBy(by, x, y, mostAreas) {
    const fixed = this.place(x, y);
    const before = { zoom: this.zoom, latitude: this.latitude, longitude: this.longitude };
    this.zoom = Math.min(most, this.zoom + by);
    this.pan(x - this.x(fixed.longitude), y - this.y(fixed.latitude));
    if (by < 0 && covering(this.box, 4, mostAreas) === undefined) Object.assign(this, before);
  }
}
