/** The page: a camera that this browser plays, and what all workers together have counted. */
import { call } from './api.js';
import { Camera } from './camera.js';
import { Chart } from './chart.js';
import { scenes } from './scenes.js';
import { draw } from './stage.js';

const refreshMs = 1_000;
const previewMs = 90;
const toastMs = 4_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);
const show = (id, value) => (byId(id).textContent = typeof value === 'number' ? value.toLocaleString('en') : value);

const chart = new Chart(byId('chart'));
/** @type {Camera | undefined} */
let camera;
let scene = scenes.street;

/** @param {import('./scenes.js').Scene} next */
function choose(next) {
  scene = next;
  show('stage-title', scene.title);
  show('note', scene.note);
  draw(byId('stage'), scene, 1);
}

/** @param {import('./scenes.js').Scene} next */
function start(next) {
  choose(next);
  chart.clear();
  setControls(true);
  setState('Starting');
  camera = new Camera(scene, { onStart, onFrame, onStop, onError: fail });
}

function onStart({ session_number }) {
  setState('Filming', 'on');
  announce(`Session ${session_number} has begun.`);
}

function onFrame(frame, seen, counts) {
  draw(byId('stage'), scene, frame);
  byId('progress').value = frame / scene.frames;
  show('big-count', counts.display_count);
  show('display-count', counts.display_count);
  show('session-roses', counts.session_unique_roses);
  show('total-roses', counts.total_unique_roses);
  show('frame-count', counts.frame_count);
  chart.add({ frame, seen, display: counts.display_count });
  if (camera?.paused === false) setState('Filming', 'on');
}

function onStop(entry) {
  finish('Done');
  announce(`Session ${entry.session_number} has ended with ${entry.unique_roses} roses.`);
  void refresh();
}

/** @param {string} state */
function finish(state) {
  camera = undefined;
  setControls(false);
  setState(state);
}

/** @param {any} error */
function fail(error) {
  toast(error.message);
  // The camera goes on by itself when the server was away for a moment.
  if (error.status === 0 || error.status === 503) setState('Waiting for the server', 'warm');
  else finish('Ended');
}

function setControls(filming) {
  for (const id of ['start-street', 'start-garden']) byId(id).disabled = filming;
  for (const id of ['pause', 'stop']) byId(id).disabled = !filming;
  show('pause', 'Pause');
}

function setState(text, kind = '') {
  show('state', text);
  byId('state').dataset.kind = kind;
}

async function refresh() {
  try {
    const [totals, history] = await Promise.all([call('GET', 'totals'), call('GET', 'history')]);
    show('total-roses', totals.total_unique_roses);
    show('cumulative-roses', totals.cumulative_unique_roses);
    show('session-count', totals.next_session_number - 1);
    showHistory(history);
    setLive(true);
  } catch {
    setLive(false);
  }
}

function setLive(on) {
  show('live-text', on ? 'Live' : 'Connecting');
  byId('live').classList.toggle('on', on);
}

let shownHistory = '';

function showHistory(history) {
  const text = JSON.stringify(history);
  if (text === shownHistory) return;
  shownHistory = text;
  byId('empty').hidden = history.length > 0;
  byId('history').hidden = history.length === 0;
  byId('history-rows').replaceChildren(...history.toReversed().map(historyRow));
}

function historyRow(entry) {
  const begun = new Date(entry.start_time * 1_000).toLocaleTimeString();
  const cells = [
    `${entry.session_number}`,
    begun,
    `${entry.duration.toFixed(1)} s`,
    entry.frame_count,
    entry.unique_roses,
  ];
  const row = document.createElement('tr');
  for (const [index, text] of cells.entries()) {
    const cell = document.createElement(index === 0 ? 'th' : 'td');
    if (index === 0) cell.scope = 'row';
    cell.textContent = text.toLocaleString('en');
    row.append(cell);
  }
  return row;
}

/** @param {string} text */
function toast(text) {
  const element = document.createElement('p');
  element.className = 'toast';
  element.textContent = text;
  byId('toasts').replaceChildren(element);
  setTimeout(() => element.remove(), toastMs);
}

/** @param {string} text for those who do not see the picture */
function announce(text) {
  byId('announcer').textContent = text;
}

/** Until somebody starts, the scene plays without being counted. */
function preview(frame) {
  if (camera === undefined && byId('state').textContent === 'Ready') draw(byId('stage'), scene, frame);
  setTimeout(() => preview((frame % scene.frames) + 1), previewMs);
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(() => void keepFresh(), refreshMs);
}

byId('start-street').addEventListener('click', () => start(scenes.street));
byId('start-garden').addEventListener('click', () => start(scenes.garden));
byId('stop').addEventListener('click', () => camera?.stop());
byId('pause').addEventListener('click', () => {
  camera?.togglePause();
  show('pause', camera?.paused ? 'Go on' : 'Pause');
  setState(camera?.paused ? 'Paused' : 'Filming', camera?.paused ? 'warm' : 'on');
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw(byId('stage'), scene, 1));
choose(scenes.street);
if (!matchMedia('(prefers-reduced-motion: reduce)').matches) preview(1);
await keepFresh();
