/** One recording in the list. */
import { bytes, duration, hue } from './format.js';

const labels = { pending: 'Waiting', processing: 'Converting', completed: 'Ready', failed: 'Failed' };
/** Beyond this the strip shows one bar. */
const mostBlocks = 120;

/** @type {HTMLTemplateElement} */
const template = document.querySelector('#track-template');

/** The element of a recording, brought up to date by `show` and `showProgress`. */
export class TrackCard {
  /** @type {any} */
  element = template.content.firstElementChild.cloneNode(true);
  /** @type {any} */
  progress;

  /**
   * @param {any} track
   * @param {{
   *   onConvert: (voiceId: string) => void, onPlay: (voiceId: string) => void, onOpenText: () => void,
   *   onSaveText: (text: string) => void,
   * }} listeners
   */
  constructor(track, listeners) {
    const { track_id: id, filename, size, duration_seconds: seconds } = track;
    this.find('.name').textContent = filename;
    this.find('.name').title = filename;
    this.find('.facts').textContent = [duration(seconds), bytes(size), `track ${id.slice(0, 8)}`].join(' · ');
    this.find('.download').href = `tracks/${id}/download`;
    this.find('.download').download = filename;
    this.find('.download').setAttribute('aria-label', `Download ${filename}`);
    this.find('.text label').textContent = `Spoken text of ${filename}`;
    this.find('.text textarea').id = `text-${id}`;
    this.find('.text label').htmlFor = `text-${id}`;
    this.find('.convert').addEventListener('submit', (event) => {
      event.preventDefault();
      listeners.onConvert(this.voice);
    });
    this.find('.play').addEventListener('click', () => listeners.onPlay(this.voice));
    this.find('.play').setAttribute('aria-label', `Play ${filename}`);
    this.find('.start').setAttribute('aria-label', `Convert ${filename}`);
    this.find('.voice').addEventListener('input', () => this.showProgress(undefined));
    this.find('details').addEventListener('toggle', () => this.find('details').open && listeners.onOpenText());
    this.find('.text').addEventListener('submit', (event) => {
      event.preventDefault();
      listeners.onSaveText(this.find('textarea').value);
    });
  }

  /** The voice that the person has chosen. */
  get voice() {
    return this.find('.voice').value;
  }

  /** @param {string} selector @returns {any} */
  find(selector) {
    return this.element.querySelector(selector);
  }

  /** @param {any} progress undefined where nobody asked for the conversion */
  showProgress(progress) {
    this.progress = progress;
    const { status, container_id: container, total_segments: total = 0, processed_segments: done = 0 } = progress ?? {};
    const pill = this.find('.pill');
    pill.hidden = status === undefined;
    pill.dataset.status = status ?? '';
    pill.textContent = labels[status] ?? '';
    this.find('.play').hidden = status !== 'completed';
    this.find('.start').hidden = status !== undefined && status !== 'failed';
    this.#showStrip(total, done, container);
    const who = this.find('.who');
    who.hidden = status === undefined;
    who.textContent = progress === undefined ? '' : whoText(progress);
  }

  #showStrip(total, done, container) {
    const strip = this.find('.strip');
    strip.hidden = total === 0;
    if (total === 0) return;
    const blocks = Math.min(total, mostBlocks);
    while (strip.children.length < blocks) strip.append(document.createElement('i'));
    while (strip.children.length > blocks) strip.lastChild.remove();
    const filled = Math.floor((done / total) * blocks);
    for (const [index, block] of [...strip.children].entries()) {
      // A segment keeps the colour of the container that was at work when it appeared.
      if (index >= filled) block.style.removeProperty('--hue');
      else if (block.style.getPropertyValue('--hue') === '')
        block.style.setProperty('--hue', String(hue(container ?? '')));
    }
    strip.setAttribute('aria-valuemax', String(total));
    strip.setAttribute('aria-valuenow', String(done));
    strip.setAttribute('aria-label', `Segments of ${this.find('.name').textContent}`);
  }
}

function whoText({
  status,
  container_id: container,
  total_segments: total,
  processed_segments: done,
  attempts,
  error,
}) {
  if (status === 'failed') return error ?? 'The conversion failed.';
  if (container === null) return 'No container has begun.';
  const again = attempts > 1 ? `, attempt ${attempts}` : '';
  return `${done} of ${total} segments by ${container}${again}`;
}
