import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { waitUntil } from 'commonhold/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTopology } from '../topology/start-topology.mjs';
import { root } from './planted.js';

const systems = ['@commonhold/rose-tracker'];

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    // A process whose parent has not yet asked after it is dead all the same. Not every system says so.
    return !existsSync(`/proc/${id}`) || !readFileSync(`/proc/${id}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** Ids of the processes that work in a directory, nginx's own among them. */
function processesOf(directory: string): number[] {
  const ids = readFileSync(join(directory, 'nginx.pid'), 'utf8').trim();
  return [Number(ids)];
}

/** A process that prints, stopped with the test. */
function start(args: readonly string[]): { child: ChildProcess; text: () => string } {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, text: () => text };
}

describe('the topology', () => {
  it('answers through nginx with all servers, and leaves nothing behind', { timeout: 60_000 }, async () => {
    const topology = await startTopology({ systems, servers: 3 });
    onTestFinished(() => topology.stop());
    const ids = [...topology.servers.map((server) => server.process.id), ...processesOf(topology.directory)];
    expect(ids.every(isAlive)).toBe(true);
    const health = await fetch(`${topology.url}/health`);
    expect(await health.json()).toMatchObject({ status: 'healthy', redis: 'connected' });
    for (let count = 0; count < 12; count += 1) {
      expect((await fetch(`${topology.url}/rose-tracker/totals`)).status).toBe(200);
    }
    const log = readFileSync(join(topology.directory, 'access.log'), 'utf8');
    for (const { url } of topology.servers) expect(log).toContain(new URL(url).host);
    await topology.stop();
    expect(ids.some(isAlive)).toBe(false);
    expect(existsSync(topology.directory)).toBe(false);
    await expect(fetch(`${topology.url}/health`)).rejects.toThrow();
  });

  it('serves on while a server is killed', { timeout: 60_000 }, async () => {
    const topology = await startTopology({ systems });
    onTestFinished(() => topology.stop());
    const statuses: number[] = [];
    for (let count = 0; count < 60; count += 1) {
      if (count === 20) await topology.servers[0]?.process.end('SIGKILL');
      statuses.push((await fetch(`${topology.url}/rose-tracker/totals`)).status);
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('S1.12: runs every system in a Redis of 25 MB', { timeout: 60_000 }, async () => {
    const topology = await startTopology();
    onTestFinished(() => topology.stop());
    const redis = async (...command: string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)('redis-cli', [
        '--no-auth-warning',
        '-u',
        topology.operatorUrl,
        ...command,
      ]);
      return stdout;
    };
    await redis('CONFIG', 'SET', 'maxmemory', '25mb');
    const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${topology.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      const json = (await response.json()) as Record<string, unknown>;
      expect({ path, status: response.status, json }).toMatchObject({
        status: expect.toBeOneOf([200, 201, 202]) as number,
      });
      return json;
    };
    const { session_id: id } = await post('/rose-tracker/sessions', {});
    const roses = Array.from({ length: 500 }, (_, rose) => rose);
    for (let frame = 0; frame < 20; frame += 1)
      await post(`/rose-tracker/sessions/${String(id)}/frames`, { frame, roses });
    const account = { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' };
    await post('/attendx/users', account);
    await post('/attendx/login', account);
    await post('/ocr/users', { email: account.email, password: account.password });
    await post('/ocr/login', { email: account.email, password: account.password });
    await post('/audio/uploads', { filename: 'a.mp3', size: 1_000 });
    expect(await (await fetch(`${topology.url}/health`)).json()).toMatchObject({ status: 'healthy' });
    const used = Number(/^used_memory:(\d+)/m.exec(await redis('INFO', 'memory'))?.[1]);
    expect(used).toBeLessThan(10 * 2 ** 20);
    expect(await redis('INFO', 'stats')).toContain('evicted_keys:0');
  });

  it('says what a program printed that does not start, and leaves nothing behind', { timeout: 60_000 }, async () => {
    const starting = startTopology({ systems, env: { REDIS_SESSION_TTL: 'soon' } });
    await expect(starting).rejects.toThrow(/REDIS_SESSION_TTL: expected whole seconds/);
  });

  it('ends with the process that started it, however that ends', { timeout: 60_000 }, async () => {
    const module = pathToFileURL(join(root, 'scripts/topology/start-topology.mjs')).href;
    const program = `import { startTopology } from '${module}';
      const { directory, url, servers } = await startTopology({ systems: ['${systems[0]}'], servers: 1 });
      console.log(JSON.stringify({ directory, url, ids: servers.map((server) => server.process.id) }));`;
    const { child, text } = start(['--input-type=module', '--eval', program]);
    await waitUntil('a topology', () => text().endsWith('\n'), { timeoutMs: 20_000 });
    const { directory, ids } = JSON.parse(text()) as { directory: string; ids: number[] };
    const all = [...ids, ...processesOf(directory)];
    expect(all.every(isAlive)).toBe(true);
    child.kill('SIGKILL');
    await waitUntil('all of it to end', () => !all.some(isAlive) && !existsSync(directory));
  });

  it('is a command that Ctrl-C stops', { timeout: 60_000 }, async () => {
    const { child, text } = start([join(root, 'scripts/topology.mjs')]);
    await waitUntil('its address', () => text().includes('Ctrl-C'), { timeoutMs: 30_000 });
    const [, url = ''] = /^Commonhold on (\S+): nginx, 3 state servers, Redis\.$/m.exec(text()) ?? [];
    const [, directory = ''] = /^Logs are in (\S+)\. Ctrl-C stops all of it\.$/m.exec(text()) ?? [];
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const all = processesOf(directory);
    const exited = once(child, 'exit');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    expect(await exited).toEqual([0, null]);
    expect([existsSync(directory), all.some(isAlive)]).toEqual([false, false]);
    expect(text()).toMatch(/Stopping\.\n$/);
  });
});
