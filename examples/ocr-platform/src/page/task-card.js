/** One task in the list. */

const labels = {
  uploading: 'Uploading',
  pending: 'Waiting',
  processing: 'Being read',
  completed: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** @type {HTMLTemplateElement} */
const template = document.querySelector('#task-template');
const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** The element of a task, brought up to date by `show`. */
export class TaskCard {
  /** @type {HTMLLIElement} */
  element = template.content.firstElementChild.cloneNode(true);

  /** @param {{ onCancel: () => void, onCopy: (text: string) => void }} listeners */
  constructor({ onCancel, onCopy }) {
    this.find('.cancel').addEventListener('click', onCancel);
    this.find('.copy').addEventListener('click', () => onCopy(this.find('pre').textContent));
  }

  /** @param {any} task the task's document @param {string} name what people call it */
  show(task, name) {
    const { status, progress, result, error } = task;
    const runs = status === 'pending' || status === 'processing' || status === 'uploading';
    const head = this.find('.task-name');
    head.textContent = name;
    head.title = name;
    this.#showPill(status);
    this.#showProgress(runs, status === 'pending' ? 0 : (progress ?? 0), name);
    this.find('.task-facts').textContent = facts(task);
    this.find('.task-error').textContent = error ?? '';
    // The error of an attempt that will be repeated is not the task's.
    this.find('.task-error').hidden = error === null || status !== 'failed';
    this.#showText(result, name);
    this.find('.cancel').hidden = !runs || status === 'uploading';
    this.find('.cancel').setAttribute('aria-label', `Cancel ${name}`);
  }

  /** Opens the text for reading. */
  open() {
    this.find('details').open = true;
  }

  /** @param {string} selector @returns {any} */
  find(selector) {
    return this.element.querySelector(selector);
  }

  #showPill(status) {
    const pill = this.find('.pill');
    pill.dataset.status = status;
    pill.textContent = labels[status] ?? status;
  }

  #showProgress(runs, value, name) {
    const bar = this.find('progress');
    bar.hidden = !runs;
    bar.value = value;
    bar.setAttribute('aria-label', `Progress of ${name}`);
  }

  #showText(result, name) {
    const hasText = result !== null && result !== undefined;
    this.find('details').hidden = !hasText;
    this.find('.copy').hidden = !hasText || result.text === '';
    this.find('.copy').setAttribute('aria-label', `Copy the text of ${name}`);
    const text = hasText ? result.text || '(No text was found.)' : '';
    if (this.find('pre').textContent !== text) this.find('pre').textContent = text;
  }
}

function facts(task) {
  const { status, created_at, started_at, completed_at, priority, result, attempts } = task;
  const parts = [time.format(created_at), `priority ${priority}`];
  if (status === 'completed' && started_at !== null) parts.push(`read in ${duration(completed_at - started_at)}`);
  if (result) parts.push(`${result.confidence} % sure`);
  if (attempts > 1) parts.push(`${attempts} attempts`);
  return parts.join(' · ');
}

function duration(ms) {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
