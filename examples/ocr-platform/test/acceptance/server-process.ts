import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, waitUntil } from 'commonhold/testing';
import { io, type Socket } from 'socket.io-client';

const repository = join(import.meta.dirname, '../../../..');
const program = join(repository, 'packages/server/dist/main.js');

/** A state server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Sends a signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `main.js`, as `npm start` does, and resolves when it answers. */
export async function startServerProcess(environment: Record<string, string>): Promise<ServerProcess> {
  const port = await freePort();
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [program], {
    env: { PATH, HOME, PORT: String(port), LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> => (await fetch(`${url}/live`).catch(() => undefined))?.ok ?? false;
  await waitUntil('a server to answer', answers, { timeoutMs: 15_000, everyMs: 50 });
  return asProcess(url, child);
}

/** Starts the worker program, which serves nothing. */
export function startWorkerProcess(environment: Record<string, string>): ServerProcess {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(repository, 'examples/ocr-platform/dist/worker.js')], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return asProcess('', child);
}

function asProcess(url: string, child: ChildProcess): ServerProcess {
  return {
    url,
    child,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

/** A task as the API answers it. */
export interface TaskDocument {
  readonly task_id: string;
  readonly status: string;
  readonly priority: number;
  readonly created_at: number | string;
  readonly started_at: number | string | null;
  readonly completed_at: number | string | null;
  readonly attempts: number;
  readonly worker_id: string | null;
  readonly result: { readonly text: string; readonly confidence: number } | null;
}

/** One user, who may talk to any of the servers. */
export class Visitor {
  readonly token: string;

  private constructor(token: string) {
    this.token = token;
  }

  static async signIn(url: string, email: string): Promise<Visitor> {
    const body = JSON.stringify({ email, password: 'correct horse battery' });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${url}/ocr/users`, { method: 'POST', headers, body });
    const login = await fetch(`${url}/ocr/login`, { method: 'POST', headers, body });
    return new Visitor(((await login.json()) as { token: string }).token);
  }

  async upload(url: string, file: Buffer, priority = 5, name = 'page.tif'): Promise<string> {
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(file)]), name);
    form.set('priority', String(priority));
    const answer = await this.fetch(`${url}/ocr/tasks`, { method: 'POST', body: form });
    if (answer.status !== 202) throw new Error(`upload answered ${answer.status}: ${await answer.text()}`);
    return ((await answer.json()) as { task_id: string }).task_id;
  }

  async task(url: string, id: string): Promise<TaskDocument> {
    return (await this.fetch(`${url}/ocr/tasks/${id}`)).json() as Promise<TaskDocument>;
  }

  async whenDone(url: string, ids: readonly string[], timeoutMs: number): Promise<TaskDocument[]> {
    let tasks: TaskDocument[] = [];
    const done = async (): Promise<boolean> => {
      tasks = await Promise.all(ids.map((id) => this.task(url, id)));
      return tasks.every((task) => task.status === 'completed');
    };
    await waitUntil(() => `tasks to end: ${tasks.map((task) => task.status).join(' ')}`, done, {
      timeoutMs,
      everyMs: 100,
    });
    return tasks;
  }

  fetch(url: string, options: RequestInit = {}): Promise<Response> {
    const headers = new Headers(options.headers);
    headers.set('authorization', `Bearer ${this.token}`);
    return fetch(url, { ...options, headers });
  }

  /** A socket that hears of this user's tasks. */
  listen(url: string, lastId?: string): Socket {
    const auth = { token: this.token, ...(lastId === undefined ? {} : { last_id: lastId }) };
    return io(`${url}/ocr`, { transports: ['websocket'], auth, reconnection: false, forceNew: true });
  }
}

/** Share of the true text that was read, with white space folded. */
export function accuracy(read: string, truth: string): number {
  const [a, b] = [fold(read), fold(truth)];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return 1 - (row[b.length] ?? 0) / b.length;
}

function fold(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** A file of the test pages. */
export function page(name: string): Promise<Buffer> {
  return readFile(join(import.meta.dirname, '../fixtures', name));
}
