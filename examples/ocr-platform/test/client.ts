import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { expect, onTestFinished } from 'vitest';
import type { TaskDocument } from '../src/http/task-document.js';
import type { TaskUpdate } from '../src/sockets/task-update.js';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

/** A password good enough for tests. */
export const PASSWORD = 'correct horse battery';

/** A bare answer of the API: no fetch option is hidden. */
async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    json: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
  };
}

/** Sees that an answer is a problem document of this status, whose detail says this. */
export function expectProblem(answer: Answer, status: number, detail: string | RegExp): void {
  expect(answer).toMatchObject({ status, json: { status, detail: expect.stringMatching(detail) as string } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(Object.keys(answer.json).slice(0, 4)).toEqual(['type', 'title', 'status', 'detail']);
}

/** A form with one file. */
export function form(bytes: Uint8Array, fields: Readonly<Record<string, string>> = {}, field = 'file'): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append(field, new Blob([new Uint8Array(bytes)]), 'image');
  return data;
}

/** Somebody who uses the platform. Of several places that serve it, each request goes to the next. */
export class Client {
  readonly #places: readonly string[];
  #asked = 0;
  token = '';

  constructor(...places: readonly string[]) {
    this.#places = places;
  }

  get url(): string {
    return this.#places[this.#asked++ % this.#places.length] ?? '';
  }

  request(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (this.token !== '') headers.set('authorization', `Bearer ${this.token}`);
    return ask(`${this.url}${path}`, { ...init, method, headers });
  }

  get(path: string): Promise<Answer> {
    return this.request('GET', path);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    return this.request('POST', path, body === undefined ? {} : { headers, body: JSON.stringify(body) });
  }

  /** Signs up and returns the user's id. */
  async signUp(email: string, password: string = PASSWORD): Promise<string> {
    const { status, json } = await this.post('/users', { email, password });
    expect(status).toBe(201);
    return json['user_id'] as string;
  }

  async login(email: string, password: string = PASSWORD): Promise<Record<string, unknown>> {
    const { status, json } = await this.post('/login', { email, password });
    expect(status).toBe(200);
    this.token = json['token'] as string;
    return json;
  }

  /** Uploads an image and returns the task's id. */
  async upload(image: string | Buffer, priority?: number): Promise<string> {
    const bytes = typeof image === 'string' ? await readFile(image) : image;
    const fields = priority === undefined ? {} : { priority: String(priority) };
    const { status, json } = await this.request('POST', '/tasks', { body: form(bytes, fields) });
    expect(json, typeof image === 'string' ? basename(image) : 'bytes').toMatchObject({ status: 'pending' });
    expect(status).toBe(202);
    return json['task_id'] as string;
  }

  async task(id: string): Promise<TaskDocument> {
    const { status, json } = await this.get(`/tasks/${id}`);
    expect(status).toBe(200);
    return json as unknown as TaskDocument;
  }

  /** Waits until the task has ended and returns it. */
  async finished(id: string): Promise<TaskDocument> {
    const over = ['completed', 'failed', 'cancelled'];
    await expect.poll(async () => (await this.task(id)).status, { timeout: 15_000, interval: 50 }).toBeOneOf(over);
    return this.task(id);
  }

  /** Opens a socket, closed with the test. */
  async connect(lastId?: string): Promise<Updates> {
    const socket = openSocket(this.url, { token: this.token, ...(lastId !== undefined && { last_id: lastId }) });
    const updates = new Updates(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return updates;
  }
}

/** A socket of the platform that does not connect again by itself, closed with the test. */
export function openSocket(url: string, auth: Record<string, unknown>): Socket {
  const socket = io(`${new URL(url).origin}/ocr`, {
    transports: ['websocket'],
    auth,
    forceNew: true,
    reconnection: false,
  });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** What one socket heard. */
export class Updates {
  readonly socket: Socket;
  readonly all: TaskUpdate[] = [];
  resyncs = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('task_update', (update: TaskUpdate) => void this.all.push(update));
    socket.on('resync', () => void this.resyncs++);
  }

  of(taskId: string): TaskUpdate[] {
    return this.all.filter(({ task_id }) => task_id === taskId);
  }

  /** Waits for an update of the task that says this status. */
  async until(taskId: string, status: string): Promise<TaskUpdate> {
    const find = (): TaskUpdate | undefined => this.of(taskId).find((update) => update.status === status);
    await expect.poll(find, { timeout: 15_000, interval: 20 }).toBeDefined();
    return find() as TaskUpdate;
  }

  /** Resolves when the socket is closed, with how long that took. */
  async closed(timeout = 5_000): Promise<void> {
    await expect.poll(() => this.socket.connected, { timeout, interval: 10 }).toBe(false);
  }
}
