import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { pause } from '../../../src/testing/waiting.js';

/** A port that does not even answer a connect, as behind a firewall that drops packets. */
export interface SilentPort extends AsyncDisposable {
  readonly port: number;
}

const listenOnly = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    console.log(server.address().port);
  });`;

/** A listener whose process is stopped and whose queue of connections is full: the system drops what comes next. */
export async function startSilentPort(): Promise<SilentPort> {
  const listener = spawn(process.execPath, ['-e', listenOnly], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(listener.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  listener.kill('SIGSTOP');
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await pause(50);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const filler of fillers) filler.destroy();
      listener.kill('SIGKILL');
      await once(listener, 'exit');
    },
  };
}
