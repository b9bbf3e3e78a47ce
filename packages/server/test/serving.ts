import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from 'commonhold';
import { onTestFinished } from 'vitest';
import { type RunningServer, type ServerOptions, startServer } from '../src/start-server.js';
import type { System } from '../src/system.js';

/** A directory of its own, removed with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-server-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Log lines, read back. */
export class LogLines {
  readonly lines: string[] = [];

  write(line: string): void {
    this.lines.push(line);
  }

  get text(): string {
    return this.lines.join('');
  }

  records(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** How to serve in a test. */
export interface ServingOptions extends ServerOptions {
  readonly variables?: Environment;
}

/** Starts a server on a free port, stopped with the test. Its environment holds nothing but `variables`. */
export async function serve(systems: readonly System[], options: ServingOptions = {}): Promise<RunningServer> {
  const { variables, ...rest } = options;
  const environment = { PORT: '0', DATA_DIR: await temporaryDirectory(), ...variables };
  const server = await startServer(systems, { logStream: new LogLines(), environment, ...rest });
  onTestFinished(() => server.stop().catch(() => undefined));
  return server;
}

/** What came back, with its body read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
  readonly tookMs: number;
}

/** One request on a connection of its own. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const startedAtMs = performance.now();
  const headers = new Headers(init.headers);
  headers.set('connection', 'close');
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, text, json, tookMs: performance.now() - startedAtMs };
}

/** Something that a test waits for: `happened` once `happen` was called. */
export class Happening {
  #resolve: () => void = () => undefined;
  readonly happened = new Promise<void>((resolve) => (this.#resolve = resolve));
  readonly happen = (): void => this.#resolve();
}

/** As {@link ask}, with `body` as JSON. */
export function post(url: string, body?: unknown): Promise<Answer> {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return ask(url, { method: 'POST', ...init });
}

/** Opens a bare connection, closed with the test. */
export async function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Writes `text` on a bare connection and resolves with all that came until the server closed it. */
export async function exchange(url: string, text: string): Promise<string> {
  const socket = await openConnection(url);
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write(text);
  await closed;
  return received;
}
