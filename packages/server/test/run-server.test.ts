import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort, pause, startRedisServer, waitUntil } from 'commonhold/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, openConnection, temporaryDirectory } from './serving.js';

const tiny = fileURLToPath(new URL('programs/tiny.mjs', import.meta.url));
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** A process under test: what it printed, and how it ended. */
class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<number | null>;

  constructor(path: string, environment: Record<string, string>) {
    const child = spawn(process.execPath, ['--unhandled-rejections=strict', path], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child = child;
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  /** The address that it printed, once it did. */
  async url(): Promise<string> {
    const address = (): string | undefined => /"url":"([^"]+)"/.exec(this.stdout)?.[1];
    await waitUntil(
      () => `an address in:\n${this.stdout}${this.stderr}`,
      () => address() !== undefined,
    );
    return address() ?? '';
  }

  messages(): string[] {
    const lines = this.stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  }
}

async function run(path: string, environment: Record<string, string> = {}): Promise<Program> {
  const program = new Program(path, { PORT: '0', DATA_DIR: await temporaryDirectory(), ...environment });
  onTestFinished(async () => {
    program.child.kill('SIGKILL');
    await program.ended;
  });
  return program;
}

/** Runs it to its end, which must be a refusal: exit code 1, nothing on standard output, one line on standard error. */
async function refusal(path: string, environment: Record<string, string>): Promise<string> {
  const program = await run(path, environment);
  expect([await program.ended, program.stdout]).toEqual([1, '']);
  expect(program.stderr.trimEnd().split('\n')).toHaveLength(1);
  return program.stderr;
}

describe('npm start', () => {
  it('says in one line that the port is taken, and what to do', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    expect(await refusal(main, { PORT: String(port) })).toBe(
      `Port ${port} on 127.0.0.1 is taken. Stop what uses it, or choose another: PORT=${port + 1} npm start\n`,
    );
  });

  it.each([
    [{ PORT: 'five' }, 'Environment variable PORT: expected a whole number from 0 to 65535, received "five"'],
    [{ LOG_LEVEL: 'loud' }, 'Environment variable LOG_LEVEL: expected one of trace, debug'],
    [
      { HOST: '0.0.0.0' },
      'HOST=0.0.0.0 lets other machines in, which needs ADMIN_TOKEN, a secret of at least 32 bytes',
    ],
    [{ HOST: '0.0.0.0', ADMIN_TOKEN: 'short' }, 'HOST=0.0.0.0 lets other machines in'],
  ])('refuses %j in one line', async (environment, message) => {
    expect(await refusal(main, environment)).toContain(message);
  });
});

describe('runServer', () => {
  it.each([
    [{ REDIS_URL: 'redis://:hunter2@ss#x@host' }, 'Environment variable REDIS_URL: expected a URL such as'],
    [{ REDIS_URL: 'http://host' }, 'Environment variable REDIS_URL: expected a URL such as'],
    [{ REDIS_HOST: 'host', REDIS_PORT: '99999' }, 'Environment variable REDIS_PORT: expected a whole number'],
    [{ DATA_DIR: '/dev/null' }, 'DATA_DIR=/dev/null cannot be used'],
  ])('refuses %j in one line without the password', async (environment, message) => {
    const line = await refusal(tiny, environment);
    expect(line).toContain(message);
    expect(line).not.toContain('hunter2');
  });

  it('shows the whole error when a system fails to start, since that is for developers', async () => {
    const program = await run(tiny, { FAIL: 'mount' });
    expect(await program.ended).toBe(1);
    expect(program.stderr).toMatch(/^Error: no model\n {4}at /);
  });

  it('S0.1: says once where it listens and where state lives', async () => {
    const program = await run(tiny);
    const url = await program.url();
    expect(program.messages().filter((message) => message.startsWith('Commonhold'))).toEqual([
      `Commonhold on ${url} (in memory)`,
    ]);
    expect((await ask(`${url}/health`)).json['redis']).toBe('disabled');
  });

  it('names the Redis it uses, never the password', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    await redis.command('CONFIG', 'SET', 'requirepass', 'hunter2');
    const program = await run(tiny, { REDIS_URL: `redis://:hunter2@127.0.0.1:${redis.port}` });
    const url = await program.url();
    expect(program.messages()).toContain(`Commonhold on ${url} (Redis at 127.0.0.1:${redis.port})`);
    expect((await ask(`${url}/health`)).json['redis']).toBe('connected');
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(program.stdout + program.stderr).not.toContain('hunter2');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s, after the request in flight', async (signal) => {
    const program = await run(tiny, { DRAIN_NOTICE_MS: '100' });
    const url = await program.url();
    const slow = ask(`${url}/tiny/slow?ms=800`);
    await waitUntil('the request to begin', () => program.stdout.includes('slow begun'));
    program.child.kill(signal);
    expect((await slow).json).toEqual({ waitedMs: 800 });
    expect(await program.ended).toBe(0);
    expect(program.messages().slice(-2)).toEqual(['request', 'stopped']);
    expect(program.stderr).toBe('');
  });

  it('is not ready, but serves, between SIGTERM and the end of its notice', async () => {
    const program = await run(tiny, { DRAIN_NOTICE_MS: '1000' });
    const url = await program.url();
    program.child.kill('SIGTERM');
    await waitUntil('/ready to be 503', async () => (await ask(`${url}/ready`)).status === 503);
    expect((await ask(`${url}/tiny/slow?ms=1`)).status).toBe(200);
    expect(await program.ended).toBe(0);
  });

  it('takes a signal that comes twice at once for one', async () => {
    const program = await run(tiny, { CLOSE_MS: '300' });
    await program.url();
    program.child.kill('SIGINT');
    await waitUntil('the first to be heard', () => program.stdout.includes('stopping'));
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
    expect(program.messages().filter((message) => message.startsWith('stop'))).toEqual(['stopping', 'stopped']);
  });

  it('ends at once on a second signal', async () => {
    const program = await run(tiny, { CLOSE_MS: '10000' });
    await program.url();
    program.child.kill('SIGINT');
    await waitUntil('the first to be heard', () => program.stdout.includes('stopping'));
    await pause(600);
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(program.messages().at(-1)).toBe('stopping');
  });

  it('says what does not end in time, and ends with 1', async () => {
    const program = await run(tiny, { CLOSE_MS: '60000', STOP_WITHIN_MS: '1500' });
    const url = await program.url();
    const idle = await openConnection(url);
    idle.on('error', () => undefined);
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(1);
    expect(program.messages().at(-1)).toBe('stopped badly: did not end within 1500 ms: system tiny');
  });

  it.each([
    ['throw', 'thrown in a timer'],
    ['reject', 'nobody waits for this'],
  ])('logs an error that nobody caught, closes its systems and ends with 1: %s', async (path, message) => {
    const program = await run(tiny);
    const url = await program.url();
    const { status } = await ask(`${url}/tiny/${path}`, { method: 'POST' }).catch(() => ({ status: 503 }));
    expect([200, 503]).toContain(status);
    expect(await program.ended).toBe(1);
    expect(program.messages()).toContain('an error that nobody caught: stopping');
    expect(program.messages().at(-1)).toBe('stopped');
    expect(program.stdout).toContain(message);
  });
});
