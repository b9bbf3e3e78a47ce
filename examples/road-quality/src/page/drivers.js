/** Simulated cars: real sockets that send real locations and real reports, on made-up streets. */
import { call } from './api.js';
import { connectDriver } from './live.js';
import { crossingNear, placeAt, qualityAt } from './streets.js';

const names = ['Ada', 'Bela', 'Chidi', 'Dora', 'Emre', 'Fatou', 'Goro', 'Hana'];
/** Streets a car passes in a second. */
const speed = 0.12;
const locationMs = 1_000;
const reportMs = 500;
const turns = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
];

/** @param {number} count */
const pick = (count) => Math.floor(Math.random() * count);

/** One car between two crossings. */
class Car {
  along = 0;
  sentAt = 0;
  reportedAt = 0;
  socketId = '';

  /** @param {string} userId @param {{ column: number, row: number }} from */
  constructor(userId, from) {
    this.userId = userId;
    this.from = from;
    this.direction = pick(4);
    this.link = connectDriver(userId, (socketId) => (this.socketId = socketId));
    this.reportedAt = performance.now() + Math.random() * reportMs;
  }

  get grid() {
    const [dx = 0, dy = 0] = turns[this.direction] ?? [];
    return { column: this.from.column + dx * this.along, row: this.from.row + dy * this.along };
  }

  get place() {
    const { column, row } = this.grid;
    return placeAt(column, row);
  }

  /** @param {number} seconds @param {{ column: number, row: number }} home */
  drive(seconds, home) {
    this.along += speed * seconds;
    if (this.along < 1) return;
    const [dx = 0, dy = 0] = turns[this.direction] ?? [];
    this.from = { column: this.from.column + dx, row: this.from.row + dy };
    this.along -= 1;
    this.direction = this.#nextDirection(home);
  }

  /** Straight on more often than not, never back, and home when far from it. */
  #nextDirection(home) {
    const ahead = [this.direction, this.direction, (this.direction + 1) % 4, (this.direction + 3) % 4];
    const distance = (direction) => {
      const [dx = 0, dy = 0] = turns[direction] ?? [];
      return Math.hypot(this.from.column + dx - home.column, this.from.row + dy - home.row);
    };
    if (distance(this.direction) > 9) return ahead.toSorted((a, b) => distance(a) - distance(b))[0] ?? 0;
    return ahead[pick(ahead.length)] ?? 0;
  }
}

/** The cars of this page. */
export class Drivers {
  /** @type {Car[]} */
  cars = [];
  home = { column: 0, row: 0 };
  reports = true;

  /** @param {{ onError: (error: any) => void }} listeners */
  constructor({ onError }) {
    this.onError = onError;
  }

  get driving() {
    return this.cars.length > 0;
  }

  /** @param {{ latitude: number, longitude: number }} near @param {number} count */
  start(near, count) {
    this.home = crossingNear(near);
    this.reports = true;
    this.cars = Array.from({ length: count }, (_, index) => {
      const from = { column: this.home.column + pick(9) - 4, row: this.home.row + pick(9) - 4 };
      return new Car(`${names[index % names.length]}-${Math.random().toString(36).slice(2, 6)}`, from);
    });
  }

  stop() {
    for (const car of this.cars) car.link.close();
    this.cars = [];
  }

  /** Drives on. @param {number} seconds since the last call @param {number} now */
  tick(seconds, now) {
    for (const car of this.cars) {
      car.drive(Math.min(seconds, 1), this.home);
      if (now - car.sentAt >= locationMs) {
        car.sentAt = now;
        car.link.move(car.place);
      }
      if (this.reports && now - car.reportedAt >= reportMs) {
        car.reportedAt = now;
        void this.#report(car);
      }
    }
  }

  /** @param {Car} car */
  async #report(car) {
    const { column, row } = car.grid;
    const quality = qualityAt(column, row);
    try {
      await call('POST', 'observations', { userId: car.userId, ...car.place, quality });
    } catch (error) {
      // Where reports are not stored, driving is all there is.
      if (this.reports && error.status === 503) this.reports = false;
      this.onError(error);
    }
  }
}
