import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, waitUntil } from 'commonhold/testing';

const program = join(import.meta.dirname, '../../dist/main.js');

/** The rose tracker alone, in a process of its own. */
export interface WorkerProcess {
  readonly url: string;
  /** Sends a signal and resolves with the exit code when the process has ended. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts it as `npm start -w examples/rose-tracker` does, and resolves when it answers. */
export async function startWorkerProcess(environment: Record<string, string>): Promise<WorkerProcess> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-rose-'));
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], PORT: String(port), DATA_DIR: directory, LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> => (await fetch(`${url}/live`).catch(() => undefined))?.ok ?? false;
  await waitUntil('a worker to answer', answers, { timeoutMs: 15_000, everyMs: 25 });
  return {
    url,
    end: async (signal) => {
      const code = await ended(child, signal);
      await rm(directory, { recursive: true, force: true });
      return code;
    },
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}
