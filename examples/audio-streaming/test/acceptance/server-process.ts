import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, waitUntil } from 'commonhold/testing';
import { Client } from '../client.js';

const program = join(import.meta.dirname, '../../dist/main.js');

/** One line of a container's log. */
export interface LogLine {
  readonly msg: string;
  readonly conversion?: string;
  readonly container?: string;
  readonly attempt?: number;
  readonly total?: number;
  readonly made?: number;
}

/** The audio system in a process of its own. */
export interface Container {
  readonly url: string;
  readonly client: Client;
  readonly name: string;
  /** What it has logged so far. */
  readonly lines: readonly LogLine[];
  /** Sends a signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `main.js`, as `npm start` does, and resolves when it answers. */
export async function startContainer(name: string, environment: Record<string, string>): Promise<Container> {
  const port = await freePort();
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [program], {
    env: { PATH, HOME, PORT: String(port), CONTAINER_ID: name, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: LogLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => void lines.push(JSON.parse(line) as LogLine));
  const url = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> => (await fetch(`${url}/live`).catch(() => undefined))?.ok ?? false;
  await waitUntil('a container to answer', answers, { timeoutMs: 15_000, everyMs: 50 });
  return { url, name, lines, client: new Client([url]), end: (signal) => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
