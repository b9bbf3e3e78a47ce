/** Sends recordings in chunks, a few at a time, each tried again where the network breaks. */
import { call, sendChunk } from './api.js';
import { bytes } from './format.js';

const chunksAtOnce = 3;
const tries = 4;
const firstWaitMs = 300;
const smallestChunk = 16 * 1_024;
const largestChunk = 1_024 * 1_024;
const fewestChunks = 12;

/** @type {HTMLTemplateElement} */
const template = document.querySelector('#upload-template');

/**
 * Sends one file and shows how far it is.
 * @param {File} file
 * @param {HTMLElement} list where to show it
 * @returns {Promise<string | undefined>} the track's id, or undefined when it was refused, which is shown
 */
export async function upload(file, list) {
  const item = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
  const show = shower(item, file);
  list.prepend(item);
  try {
    const { upload_id } = await call('POST', 'uploads', { filename: file.name, size: file.size });
    const trackId = await sendAll(upload_id, file, show);
    item.remove();
    return trackId;
  } catch (error) {
    const text = item.querySelector('.error');
    text.textContent = error.message;
    text.hidden = false;
    item.querySelector('progress').hidden = true;
    return undefined;
  }
}

function shower(item, file) {
  item.querySelector('.name').textContent = file.name;
  const bar = item.querySelector('progress');
  bar.setAttribute('aria-label', `Sending ${file.name}`);
  return (sent) => {
    bar.value = file.size === 0 ? 0 : sent / file.size;
    item.querySelector('.facts').textContent = `${bytes(sent)} of ${bytes(file.size)}`;
  };
}

async function sendAll(uploadId, file, show) {
  const size = Math.min(largestChunk, Math.max(smallestChunk, Math.ceil(file.size / fewestChunks)));
  const starts = Array.from({ length: Math.ceil(file.size / size) }, (_, index) => index * size);
  let sent = 0;
  let trackId;
  const sendNext = async () => {
    for (let first = starts.shift(); first !== undefined; first = starts.shift()) {
      const end = Math.min(file.size, first + size);
      const answer = await persistently(() => sendChunk(uploadId, file, first, end));
      trackId ??= answer.track_id;
      sent += end - first;
      show(sent);
    }
  };
  show(0);
  await Promise.all(Array.from({ length: chunksAtOnce }, sendNext));
  return trackId;
}

/** A chunk may be sent again: the server keeps it once. */
async function persistently(send) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const mayPass = error.status === 0 || error.status >= 500;
      if (!mayPass || attempt === tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, firstWaitMs * 2 ** attempt));
    }
  }
}
