/** The page: recordings on one side, the containers that share the work on the other. */
import { watchContainers } from './containers.js';
import { Player } from './player.js';
import { TrackList } from './tracks.js';
import { upload } from './uploads.js';

const toastMs = 5_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

const player = new Player({ onError: fail });
const tracks = new TrackList({
  onPlay: (track, voiceId) => void player.play(track, voiceId).catch(fail),
  onError: fail,
  announce,
});

/** @param {any} error */
function fail(error) {
  const element = document.createElement('p');
  element.className = 'toast';
  element.textContent = error.message;
  byId('toasts').append(element);
  setTimeout(() => element.remove(), toastMs);
}

/** @param {string} text for those who do not see the list */
function announce(text) {
  byId('announcer').textContent = text;
}

/** Sends recordings one after the other, and has each converted. @param {Iterable<File>} files */
async function send(files) {
  for (const file of files) {
    const trackId = await upload(file, byId('uploads'));
    if (trackId === undefined) continue;
    await tracks.reload();
    await tracks.convert(trackId);
  }
}

function listenForFiles() {
  const drop = byId('drop');
  byId('choose').addEventListener('click', () => byId('files').click());
  byId('files').addEventListener('change', () => {
    void send([...byId('files').files]).catch(fail);
    byId('files').value = '';
  });
  drop.addEventListener('submit', (event) => event.preventDefault());
  for (const name of ['dragover', 'drop']) addEventListener(name, (event) => event.preventDefault());
  drop.addEventListener('dragover', () => drop.classList.add('over'));
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    drop.classList.remove('over');
    void send([...event.dataTransfer.files]).catch(fail);
  });
}

listenForFiles();
watchContainers();
