import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../../src/testing/fault-proxy.js';
import { freePort } from '../../../src/testing/free-port.js';
import { type RedisServer, startRedisServer } from '../../../src/testing/redis-server.js';
import { openState } from '../../../src/open-state.js';
import { waitUntil } from '../../../src/testing/waiting.js';
import { type Authority, createAuthority } from './certificates.js';
import { outcome, silentLog } from './connected.js';

type State = Awaited<ReturnType<typeof openState>>;

let authority: Authority;
let server: RedisServer;
let tlsPort = 0;

beforeAll(async () => {
  authority = await createAuthority();
  tlsPort = await freePort();
  server = await startRedisServer({ args: await authority.serverArguments(tlsPort, 'IP:127.0.0.1,DNS:localhost') });
});
afterAll(async () => {
  await server.stop();
  await authority[Symbol.asyncDispose]();
});

const open = (url: string, ca?: string, deadline = 500): Promise<State> =>
  openState({
    redis: { url, deadline, cacheDeadline: deadline, ...(ca === undefined ? {} : { ca }) },
    environment: {},
    log: silentLog,
  });

async function reasonOf(url: string, ca?: string): Promise<string> {
  await using state = await open(url, ca);
  expect(await outcome(state.cache('c', { away: 'throw' }).get('k'))).toBe('Unavailable');
  const status = state.status();
  return 'reason' in status ? status.reason : 'connected';
}

describe('rediss://', () => {
  it('works with the authority of the server', async () => {
    await using state = await open(`rediss://127.0.0.1:${tlsPort}`, authority.ca);
    expect(state.status()).toMatchObject({ connected: true });
    await state.cache('c').set('k', 'v');
    expect(await state.cache('c').get('k')).toBe('v');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await waitUntil('the loss', () => !state.status().connected);
    await waitUntil('the return', () => state.status().connected, { timeoutMs: 3_000 });
    expect(await state.cache('c').get('k')).toBe('v');
  });

  it('refuses a server that nobody vouches for', async () => {
    expect(await reasonOf(`rediss://127.0.0.1:${tlsPort}`)).toMatch(/certificate/);
    await using other = await createAuthority();
    expect(await reasonOf(`rediss://127.0.0.1:${tlsPort}`, other.ca)).toMatch(/certificate/);
  });

  it('refuses a server that has another name', async () => {
    const port = await freePort();
    await using wrong = await startRedisServer({
      args: await authority.serverArguments(port, 'DNS:elsewhere.example'),
    });
    expect(wrong.port).not.toBe(port);
    expect(await reasonOf(`rediss://127.0.0.1:${port}`, authority.ca)).toMatch(
      /does not match certificate|not in the cert/,
    );
  });

  it('refuses a server whose certificate has ended', async () => {
    const port = await freePort();
    await using old = await startRedisServer({ args: await authority.serverArguments(port, 'IP:127.0.0.1', -1) });
    expect(old.port).not.toBe(port);
    expect(await reasonOf(`rediss://127.0.0.1:${port}`, authority.ca)).toMatch(/expired/);
  });

  it('says so when the port speaks plain text, and redis:// when it speaks TLS', async () => {
    expect(await reasonOf(`rediss://127.0.0.1:${server.port}`, authority.ca)).not.toBe('connected');
    expect(await reasonOf(`redis://127.0.0.1:${tlsPort}`)).not.toBe('connected');
  });

  it('does not cut a reply that keeps coming', async () => {
    await using proxy = await startFaultProxy({ port: tlsPort });
    await using state = await open(`rediss://127.0.0.1:${proxy.port}`, authority.ca, 15_000);
    const value = Buffer.alloc(60_000, 7);
    await state.cache('c').set('large', value);
    proxy.splitBytes();
    expect(await state.cache('c').get('large')).toEqual(value);
    expect(proxy.connections.total).toBe(1);
  });
});
