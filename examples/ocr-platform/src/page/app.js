/** The page: who is signed in decides what is shown. */
import { call, currentToken, onTokenChange, rememberToken } from './api.js';
import { connectLive } from './live.js';
import { watchOutage } from './outage.js';
import { openSessions } from './sessions.js';
import { openSignIn, showNotice } from './sign-in.js';
import { TaskList } from './task-list.js';

const toastMs = 4_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

const list = new TaskList({ onError: fail, announce, onCopy: (text) => void copy(text) });
let disconnect = () => {};

async function enter() {
  disconnect();
  list.clear();
  if (currentToken() === '') return leave('');
  try {
    const { email } = await call('GET', 'me');
    byId('email').textContent = email;
  } catch (error) {
    if (error.status === 401) return leave(error.message);
    toast(error.message);
  }
  show(true);
  const onSessionEnd = () => void call('GET', 'me').then(enter, fail);
  disconnect = connectLive(currentToken(), {
    onUpdate: (update) => void list.update(update),
    onReload: () => void list.reload(),
    onState: showState,
    onSessionEnd,
  });
  await list.reload();
}

/** @param {string} reason why, where the person did not ask for it */
function leave(reason) {
  disconnect();
  rememberToken('');
  list.clear();
  byId('sessions').close();
  show(false);
  showNotice(reason);
  byId('credentials-email').focus();
}

function show(signedIn) {
  byId('welcome').hidden = signedIn;
  byId('workspace').hidden = !signedIn;
  byId('account').hidden = !signedIn;
}

function showState(connected) {
  byId('live-text').textContent = connected ? 'Live' : 'Connecting';
  byId('live').classList.toggle('on', connected);
}

/** @param {any} error */
function fail(error) {
  if (error.status === 401) leave(error.message);
  else toast(error.message);
}

async function signOut(path) {
  // Whatever the server says, this browser forgets its session.
  await call('POST', path).catch((error) => toast(error.message));
  leave('');
}

/** @param {string} text */
function toast(text) {
  const element = document.createElement('p');
  element.className = 'toast';
  element.textContent = text;
  byId('toasts').append(element);
  setTimeout(() => element.remove(), toastMs);
}

/** @param {string} text for those who do not see the list */
function announce(text) {
  byId('announcer').textContent = text;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied.');
  } catch {
    toast('The browser did not allow copying.');
  }
}

function send(files) {
  list.add(files, Number(byId('priority').value));
}

function listenForFiles() {
  const drop = byId('drop');
  byId('choose').addEventListener('click', () => byId('files').click());
  byId('files').addEventListener('change', () => {
    send([...byId('files').files]);
    byId('files').value = '';
  });
  byId('priority').addEventListener('input', () => (byId('priority-value').value = byId('priority').value));
  drop.addEventListener('submit', (event) => event.preventDefault());
  for (const name of ['dragover', 'drop']) addEventListener(name, (event) => event.preventDefault());
  drop.addEventListener('dragover', () => drop.classList.add('over'));
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    drop.classList.remove('over');
    send([...event.dataTransfer.files]);
  });
}

openSignIn(() => void enter());
openSessions({ onError: fail, onSignOutAll: () => void signOut('logout-all') });
byId('sign-out').addEventListener('click', () => void signOut('logout'));
onTokenChange(() => void enter());
listenForFiles();
showState(false);
watchOutage(byId('outage'), () => void (currentToken() !== '' && list.reload()));
await enter();
