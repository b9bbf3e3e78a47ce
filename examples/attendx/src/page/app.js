/** The page: who is signed in decides what is shown. */
import { call } from './api.js';
import { showLimit } from './limit.js';
import { currentPicture, openPicture, stopCamera } from './picture.js';
import { openSignIn, showNotice } from './sign-in.js';
import { showStats, showToday } from './today.js';

const toastMs = 4_000;
const refreshMs = 5_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

/** @type {{ user_id: string, name: string } | undefined} */
let me;

/** The session is a cookie that scripts cannot see; this only spares those who never signed in a refusal. */
const signedInKey = 'attendx.signed-in';

async function enter() {
  if (localStorage.getItem(signedInKey) === null) return leave('');
  try {
    me = (await call('GET', 'me')).answer;
  } catch (error) {
    return leave(error.message);
  }
  byId('rename').textContent = me?.name;
  show(true);
  await Promise.all([readLimit(), refresh()]);
}

/** @param {string} reason why, where the person did not ask for it */
function leave(reason) {
  me = undefined;
  localStorage.removeItem(signedInKey);
  stopCamera();
  show(false);
  showNotice(reason);
  byId('credentials-email').focus();
}

function show(signedIn) {
  byId('welcome').hidden = signedIn;
  byId('workspace').hidden = !signedIn;
  byId('account').hidden = !signedIn;
}

async function readLimit() {
  await call('GET', 'api/enroll').then(({ headers }) => showLimit(headers), fail);
}

async function refresh() {
  if (me === undefined || document.hidden) return;
  try {
    const [today, stats] = await Promise.all([call('GET', 'api/attendance'), call('GET', 'api/cache/stats')]);
    showToday(today.answer);
    showStats(stats.answer);
  } catch (error) {
    fail(error);
  }
}

/** @param {any} error */
function fail(error) {
  if (error.status === 401) leave(error.message);
  else toast(error.message);
}

/** @param {string} text */
function toast(text) {
  const element = document.createElement('p');
  element.className = 'toast';
  element.textContent = text;
  byId('toasts').append(element);
  setTimeout(() => element.remove(), toastMs);
}

/** @param {'idle' | 'good' | 'bad'} kind @param {string} title @param {string} text @param {number} [similarity] */
function showResult(kind, title, text, similarity) {
  byId('result').dataset.kind = kind;
  byId('result-title').textContent = title;
  byId('result-text').textContent = text;
  byId('meter').hidden = similarity === undefined;
  if (similarity === undefined) return;
  byId('meter-fill').style.width = `${Math.max(0, similarity) * 100}%`;
  byId('similarity').textContent = `${(similarity * 100).toFixed(1)} %`;
}

/**
 * Sends the picture.
 * @param {string} path @param {Record<string, string>} fields @param {(answer: any, headers: Headers) => void} onAnswer
 */
async function send(path, fields, onAnswer) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const id of ['attend', 'enrol']) byId(id).disabled = true;
  try {
    const image = await currentPicture();
    if (image === undefined) return toast('Choose an image or start the camera first.');
    form.append('image', image, 'image');
    const { answer, headers } = await call('POST', path, form);
    onAnswer(answer, headers);
  } catch (error) {
    if (error.headers !== undefined) showLimit(error.headers);
    if (error.status === 401) return leave(error.message);
    showResult('bad', titleOf(error.status), error.message);
  } finally {
    for (const id of ['attend', 'enrol']) byId(id).disabled = false;
  }
  await refresh();
}

/** @param {number} status */
function titleOf(status) {
  if (status === 404) return 'Not recognised';
  return status === 429 ? 'Enough for this hour' : 'That did not work';
}

function attend() {
  return send('api/attendance', {}, ({ name, similarity }) => {
    showResult('good', `Welcome, ${name}`, 'You are on the list of today.', similarity);
  });
}

function enrol() {
  const name = byId('person').value.trim();
  if (name === '') {
    toast('Whose picture is it? Type the name first.');
    return byId('person').focus();
  }
  return send('api/enroll', { name }, (answer, headers) => {
    showLimit(headers);
    byId('person').value = '';
    const text = answer.cached
      ? 'These very bytes were known: the embedding came from the cache.'
      : 'A new embedding was made.';
    showResult('good', `${name} is enrolled`, text);
  });
}

async function rename(name) {
  const { answer } = await call('PATCH', `api/users/${me?.user_id}`, { name });
  me = answer;
  byId('rename').textContent = answer.name;
}

function listen() {
  byId('actions').addEventListener('submit', (event) => {
    event.preventDefault();
    // Enter in the field of the name means to enrol.
    void (document.activeElement === byId('person') ? enrol() : attend());
  });
  byId('enrol').addEventListener('click', () => void enrol());
  byId('sign-out').addEventListener('click', async () => {
    await call('POST', 'logout').catch((error) => toast(error.message));
    leave('');
  });
  byId('rename').addEventListener('click', () => {
    byId('new-name').value = me?.name;
    byId('rename-dialog').showModal();
  });
  byId('keep-name').addEventListener('click', () => byId('rename-dialog').close());
  byId('rename-dialog').addEventListener('close', () => {
    const dialog = byId('rename-dialog');
    if (dialog.returnValue === 'save') rename(byId('new-name').value).catch(fail);
    dialog.returnValue = '';
  });
}

openSignIn(() => {
  localStorage.setItem(signedInKey, 'yes');
  void enter();
});
openPicture({ onError: toast });
listen();
setInterval(() => void refresh(), refreshMs);
void enter();
