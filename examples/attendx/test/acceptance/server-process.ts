import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, waitUntil } from 'commonhold/testing';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** AttendX in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** Sends a signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `main.js`, as `npm start -w examples/attendx` does, and resolves when it answers. */
export async function startServerProcess(variables: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const port = await freePort();
  const { PATH = '', HOME = '' } = process.env;
  const child: ChildProcess = spawn(process.execPath, [program], {
    env: { PATH, HOME, PORT: String(port), LOG_LEVEL: 'error', ...variables },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> => (await fetch(`${url}/live`).catch(() => undefined))?.ok ?? false;
  await waitUntil('a server to answer', answers, { timeoutMs: 15_000, everyMs: 50 });
  return {
    url,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}
