/** The list of the person's tasks: read from the API, kept up to date by the socket. */
import { call, upload } from './api.js';
import { rememberName, nameOf } from './file-names.js';
import { TaskCard } from './task-card.js';

const uploadsAtOnce = 2;
const mostBytes = 20 * 1_024 * 1_024;
/** A task does not go back from a later of these to an earlier one by an answer that was slow. */
const order = { uploading: 0, pending: 1, processing: 2, completed: 3, failed: 3, cancelled: 3 };

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

export class TaskList {
  #tasks = new Map();
  #cards = new Map();
  #cursor = null;
  #filter = '';
  #waiting = [];
  #uploading = 0;
  #loads = 0;

  /** @param {{ onError: (error: any) => void, announce: (text: string) => void, onCopy: (text: string) => void }} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    byId('more').addEventListener('click', () => this.#read(this.#cursor));
    byId('filter').addEventListener('change', () => {
      this.#filter = byId('filter').value;
      void this.reload();
    });
  }

  /** Forgets everything: somebody else may sign in. */
  clear() {
    this.#waiting = [];
    this.#loads++;
    for (const id of [...this.#tasks.keys()]) this.#remove(id);
    this.#showEnd();
  }

  /** Reads the first page anew. */
  async reload() {
    await this.#read(null);
    await this.#readTotals();
  }

  /** @param {any} update an event of the socket */
  async update({ task_id: id, type, status, progress }) {
    const task = this.#tasks.get(id);
    const isNews = task === undefined || type !== 'task_progress' || task.status !== 'processing';
    if (!isNews) return this.#put({ ...task, status, progress });
    // What ended has a result or an error, which the event does not carry.
    await this.#refresh(id);
    if (type === 'task_progress') return;
    this.#openFirst(id);
    this.listeners.announce(`${nameOf(this.#tasks.get(id) ?? { task_id: id })}: ${status}`);
    await this.#readTotals();
  }

  /** Shows the text of what was just read, unless another is being looked at. */
  #openFirst(id) {
    if (document.querySelector('.task details[open]') === null) this.#cards.get(id)?.open();
  }

  /** @param {Iterable<File>} files @param {number} priority */
  add(files, priority) {
    for (const file of files)
      this.#waiting.push({ file, priority, id: `upload-${crypto.randomUUID?.() ?? Math.random()}` });
    while (this.#uploading < uploadsAtOnce && this.#waiting.length > 0) void this.#uploadNext();
  }

  async #uploadNext() {
    const { file, priority, id } = this.#waiting.shift();
    const task = {
      task_id: id,
      status: 'uploading',
      created_at: Date.now(),
      priority,
      progress: 0,
      result: null,
      error: null,
    };
    this.#uploading++;
    try {
      this.#put({ ...task, name: file.name });
      if (file.size > mostBytes) throw new Error('The file is larger than 20 MB.');
      const { task_id } = await upload(file, priority, (progress) => this.#put({ ...task, name: file.name, progress }));
      rememberName(task_id, file.name);
      this.#remove(id);
      await this.#refresh(task_id);
    } catch (error) {
      this.#put({ ...task, name: file.name, status: 'failed', error: error.message });
      if (error.status === 401) this.listeners.onError(error);
    } finally {
      this.#uploading--;
      this.add([], 0);
    }
  }

  async #read(cursor) {
    const load = ++this.#loads;
    const query = new URLSearchParams({ ...(this.#filter && { status: this.#filter }), ...(cursor && { cursor }) });
    try {
      const page = await call('GET', `tasks?${query}`);
      if (load !== this.#loads) return;
      this.#cursor = page.cursor;
      if (cursor === null) this.#keepOnly(page.tasks);
      for (const task of page.tasks) this.#put(task);
      this.#showEnd();
    } catch (error) {
      this.listeners.onError(error);
    }
  }

  async #refresh(id) {
    const task = await call('GET', `tasks/${encodeURIComponent(id)}`).catch((error) => {
      if (error.status !== 404) this.listeners.onError(error);
    });
    if (task !== undefined) this.#put(task);
  }

  async #readTotals() {
    const stats = await call('GET', 'stats').catch(() => undefined);
    if (stats === undefined) return;
    const { completed, failed } = stats.tasks;
    byId('totals').textContent =
      `${completed.toLocaleString()} ${completed === 1 ? 'image' : 'images'} read for all users, ${failed.toLocaleString()} failed`;
  }

  async #cancel(id) {
    await call('DELETE', `tasks/${encodeURIComponent(id)}`).catch((error) => this.listeners.onError(error));
    await this.#refresh(id);
  }

  #put(task) {
    const id = task.task_id;
    const known = this.#tasks.get(id);
    if (known !== undefined && order[known.status] > order[task.status]) return;
    if (this.#isFilteredOut(task)) {
      this.#remove(id);
      return this.#showEnd();
    }
    this.#tasks.set(id, task);
    const card = this.#cards.get(id) ?? this.#insert(task);
    card.show(task, nameOf(task));
    this.#showEnd();
  }

  /** What is only here, because its upload is under way or failed, is always shown. */
  #isFilteredOut({ task_id, status }) {
    return this.#filter !== '' && status !== this.#filter && !task_id.startsWith('upload-');
  }

  /** Newest first, like the pages of the API. */
  #insert(task) {
    const id = task.task_id;
    const card = new TaskCard({ onCancel: () => void this.#cancel(id), onCopy: this.listeners.onCopy });
    card.element.dataset.id = id;
    this.#cards.set(id, card);
    const older = [...byId('tasks').children].find(
      ({ dataset }) => this.#tasks.get(dataset.id).created_at < task.created_at,
    );
    byId('tasks').insertBefore(card.element, older ?? null);
    return card;
  }

  #keepOnly(tasks) {
    const keep = new Set(tasks.map(({ task_id }) => task_id));
    for (const id of [...this.#tasks.keys()]) {
      if (!keep.has(id) && !id.startsWith('upload-')) this.#remove(id);
    }
  }

  #remove(id) {
    this.#cards.get(id)?.element.remove();
    this.#cards.delete(id);
    this.#tasks.delete(id);
  }

  #showEnd() {
    byId('empty').hidden = this.#tasks.size > 0;
    byId('more').hidden = this.#cursor === null;
  }
}
