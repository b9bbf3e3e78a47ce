import type { SystemHost } from '@commonhold/server';
import type { DocumentedNotice, SharedState } from 'commonhold';
import type { Socket } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { system } from '../../src/index.js';
import { type Client, openSocket } from '../client.js';
import { homes } from '../homes.js';
import { startPlatform } from '../platform.js';
import { fixture, PHOTOTEST } from '../recognition/samples.js';

const small = fixture('HelloGoogle.tif');

/** What a refused socket is told. */
async function refusal(client: Client, auth: Record<string, unknown>): Promise<{ message: string; data: unknown }> {
  const socket = openSocket(client.url, auth);
  return new Promise((resolve, reject) => {
    socket.once('connect', () => reject(new Error('it connected')));
    socket.once('connect_error', (error) => {
      resolve({ message: error.message, data: (error as Error & { data?: unknown }).data });
    });
  });
}

describe.each(homes)('sockets, %s', (_name, open) => {
  const home = open();

  it('S4.1, S4.14: hear of the own tasks alone: from the start to the end, in order, each once', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const ada = await platform.signedIn('ada@example.com');
    const bob = await platform.signedIn('bob@example.com');
    const [first, second, stranger] = [await ada.connect(), await ada.connect(), await bob.connect()];
    const id = await ada.upload(PHOTOTEST);
    const end = await first.until(id, 'completed');
    await second.until(id, 'completed');
    expect(Object.keys(end)).toEqual(['id', 'type', 'task_id', 'user_id', 'status', 'progress', 'timestamp']);
    expect(end).toMatchObject({ type: 'task_completed', task_id: id, progress: 1 });
    expect(end.user_id).toBe((await ada.get('/me')).json['user_id']);
    expect(Math.abs(end.timestamp - Date.now())).toBeLessThan(30_000);
    expect(first.all[0]).toMatchObject({ type: 'task_progress', status: 'processing', progress: 0 });
    const progress = first.all.map((update) => update.progress);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(new Set(first.all.map((update) => update.id)).size).toBe(first.all.length);
    expect(second.all).toEqual(first.all);
    expect(stranger.all).toEqual([]);
  });

  it('that come back with the last id get what they missed, and nothing twice', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const client = await platform.signedIn();
    const before = await client.connect();
    const witness = await client.connect();
    const first = await client.upload(small);
    const seen = await before.until(first, 'completed');
    before.socket.disconnect();
    const missed = await client.upload(small);
    await client.finished(missed);
    const after = await client.connect(seen.id);
    const last = await client.upload(small);
    await after.until(last, 'completed');
    await witness.until(last, 'completed');
    const since = witness.all.findIndex(({ id }) => id === seen.id) + 1;
    expect(after.all).toEqual(witness.all.slice(since));
    expect(after.of(missed).at(-1)).toMatchObject({ type: 'task_completed' });
    expect(after.resyncs).toBe(0);
  });

  it('are told when what they missed is gone', async () => {
    const client = await (await startPlatform({ redisUrl: await home.url() })).signedIn();
    const updates = await client.connect('1000-0');
    await expect.poll(() => updates.resyncs).toBe(1);
  });

  it('hear of a cancelled task as one that failed', async () => {
    const platform = await startPlatform({ redisUrl: await home.url(), variables: { OCR_WORKERS: '0' } });
    const client = await platform.signedIn();
    const updates = await client.connect();
    const id = await client.upload(small);
    await client.request('DELETE', `/tasks/${id}`);
    expect(await updates.until(id, 'cancelled')).toMatchObject({ type: 'task_failed', progress: 0 });
  });

  it('are refused without a live session, and for an id that is none', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const client = await platform.signedIn();
    const invalid = { message: 'Invalid session', data: { status: 401 } };
    for (const auth of [{}, { token: '' }, { token: 7 }, { token: 'f'.repeat(64) }, { token: ['x'] }]) {
      expect(await refusal(client, auth)).toEqual(invalid);
    }
    for (const last_id of ['x', 5, '1-', { a: 1 }, `${'9'.repeat(30)}-0`]) {
      expect(await refusal(client, { token: client.token, last_id })).toMatchObject({ data: { status: 400 } });
    }
    await client.post('/logout');
    expect(await refusal(client, { token: client.token })).toEqual(invalid);
  });

  it('of one user are at most twenty', async () => {
    const client = await (await startPlatform({ redisUrl: await home.url() })).signedIn();
    const all = await Promise.all(Array.from({ length: 20 }, () => client.connect()));
    expect(await refusal(client, { token: client.token })).toMatchObject({ data: { status: 429 } });
    all[0]?.socket.disconnect();
    await expect
      .poll(() =>
        client.connect().then(
          () => 'connected',
          () => 'refused',
        ),
      )
      .toBe('connected');
  });

  it('close within a second of the end of their session, and no other does', async () => {
    const platform = await startPlatform({ redisUrl: await home.url() });
    const one = await platform.signedIn();
    const two = platform.client();
    await two.login('ada@example.com');
    const other = await platform.signedIn('bob@example.com');
    const [ended, living, stranger] = [await one.connect(), await two.connect(), await other.connect()];
    await one.post('/logout');
    const startedAtMs = performance.now();
    await ended.closed();
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    expect(living.socket.connected).toBe(true);
    await two.post('/logout-all');
    await living.closed();
    expect(stranger.socket.connected).toBe(true);
  });
});

describe('a client that reads nothing', () => {
  it('takes little memory, and gets the rest when it reads again', async () => {
    let sockets: SystemHost['sockets'] | undefined;
    let state: SharedState | undefined;
    const platform = await startPlatform({
      variables: { OCR_WORKERS: '0' },
      system: {
        ...system,
        mount: (host) => {
          sockets = host.sockets;
          const openState = async (options: Parameters<SystemHost['openState']>[0]): Promise<SharedState> =>
            (state = await host.openState(options));
          return system.mount({ ...host, openState });
        },
      },
    });
    const client = await platform.signedIn();
    const user_id = String((await client.get('/me')).json['user_id']);
    const updates = await client.connect();
    const notices = state?.channel<DocumentedNotice>(user_id, { prefix: 'ocr:notifications:user', format: 'json' });
    const publish = (progress: number): Promise<string> | undefined =>
      notices?.publish({ type: 'task_progress', task_id: 'a', user_id, status: 'processing', progress, timestamp: 1 });
    await publish(0);
    await updates.until('a', 'processing');
    const [remote] = (await sockets?.of('/ocr').fetchSockets()) ?? [];
    const { conn } = remote as unknown as Socket;
    let waiting = 0;
    conn.on('packetCreate', () => waiting++);
    // As the transport is while its buffers are full.
    conn.transport.writable = false;
    for (let count = 1; count <= 600; count++) await publish(count);
    await expect.poll(() => waiting).toBeGreaterThan(60);
    expect(waiting).toBeLessThan(70);
    conn.transport.writable = true;
    conn.transport.emit('ready');
    await expect.poll(() => updates.all.length, { timeout: 5_000 }).toBe(601);
    expect(updates.all.map(({ progress }) => progress)).toEqual(Array.from({ length: 601 }, (_, index) => index));
    expect(updates.resyncs).toBe(0);
  });
});
