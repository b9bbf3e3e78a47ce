/** The page: a map of who is where and what the road is like, kept live by one socket. */
import { Drivers } from './drivers.js';
import { covering, isGeohash } from './geohash.js';
import { listenForHands } from './hands.js';
import { connectWatcher } from './live.js';
import { MapCanvas } from './map.js';
import { Panel } from './panel.js';
import { View } from './view.js';
import { World } from './world.js';

/** As many as the server lets one socket watch. */
const mostAreas = 32;
const carCount = 8;
const start = { latitude: 28.7037, longitude: 77.2079, zoom: 14.4 };
const placeKey = 'road.place';
const toastMs = 5_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

const view = new View();
Object.assign(view, start, lastPlace());
let changed = true;
const world = new World({ onError: fail, onChange: () => (changed = true) });
const map = new MapCanvas(byId('map'), view, world);
const panel = new Panel(world, { onPick: pick, onError: fail });
const drivers = new Drivers({ onError: fail });
const watcher = connectWatcher({
  onState: (connected) => {
    byId('live-text').textContent = connected ? 'Live' : 'Connecting';
    byId('live').classList.toggle('on', connected);
    if (connected) void world.reconnect();
  },
  onEvent: (name, message) => world.hear(name, message),
});
const hands = listenForHands(byId('map'), view, {
  mostAreas,
  onMove: () => moved(),
  onHover: (regionId) => (map.hovered = regionId),
  onPick: pick,
});

let settle = 0;
/** Looks at what is seen once the view has come to rest. */
function moved() {
  clearTimeout(settle);
  settle = setTimeout(() => void look(), 180);
}

async function look() {
  const { latitude, longitude, zoom } = view;
  localStorage.setItem(placeKey, JSON.stringify({ latitude, longitude, zoom }));
  const areas = covering(view.box, 4, mostAreas);
  if (!areas) return;
  watcher.watch(areas);
  await world.look(areas);
  if (zoom >= 12.5) await world.lookClosely(view.box);
  changed = true;
}

function lastPlace() {
  try {
    const place = JSON.parse(localStorage.getItem(placeKey) ?? '{}');
    return Object.values(place).every((value) => Number.isFinite(value)) ? place : {};
  } catch {
    return {};
  }
}

/** @param {string} regionId */
function pick(regionId) {
  map.selected = regionId;
  byId('announcer').textContent = regionId === '' ? '' : `Region ${regionId}`;
  void panel.select(regionId);
}

/** @param {any} error */
function fail(error) {
  const text = error.message;
  if ([...byId('toasts').children].some((shown) => shown.textContent === text)) return;
  const toast = document.createElement('p');
  toast.className = 'toast';
  toast.textContent = text;
  byId('toasts').append(toast);
  setTimeout(() => toast.remove(), toastMs);
}

function toggleDriving() {
  if (drivers.driving) drivers.stop();
  else {
    if (view.zoom < 13.2) view.zoom = start.zoom;
    drivers.start(view, carCount);
    moved();
  }
  byId('drive').setAttribute('aria-pressed', String(drivers.driving));
  byId('drive-text').textContent = drivers.driving ? 'Stop driving' : `Drive ${carCount} cars`;
}

/** @param {SubmitEvent} event */
function find(event) {
  event.preventDefault();
  const text = byId('find').value.trim().toLowerCase();
  if (!isGeohash(text)) return fail(new Error('Type a geohash, such as ttngkc.'));
  map.showRegion(text);
  view.zoom = Math.max(view.zoom, text.length >= 6 ? 14.5 : 12.5);
  if (text.length >= 6) pick(text.slice(0, 6));
  moved();
}

let before = performance.now();
let summedAt = 0;
/** @param {number} now */
function frame(now) {
  drivers.tick((now - before) / 1_000, now);
  before = now;
  map.draw(now, drivers.cars);
  if (changed && now - summedAt > 300) {
    changed = false;
    summedAt = now;
    const { members, reports } = world.totals();
    byId('members-total').textContent = members.toLocaleString();
    byId('reports-total').textContent = reports.toLocaleString();
    panel.draw();
  }
  requestAnimationFrame(frame);
}

new ResizeObserver(() => {
  map.fit();
  moved();
}).observe(byId('map'));
byId('drive').addEventListener('click', toggleDriving);
byId('zoom-in').addEventListener('click', () => hands.zoomBy(0.7));
byId('zoom-out').addEventListener('click', () => hands.zoomBy(-0.7));
byId('find-form').addEventListener('submit', find);
setInterval(() => {
  if (panel.selected !== '') void panel.readSegments();
}, 2_500);
setInterval(() => void (view.zoom >= 12.5 && world.lookClosely(view.box)), 3_000);
addEventListener('keydown', (event) => event.key === 'Escape' && pick(''));
requestAnimationFrame(frame);
