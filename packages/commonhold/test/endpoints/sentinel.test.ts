import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type RedisSentinels, startRedisSentinels } from '../../src/testing/redis-sentinel.js';
import type { RedisServer } from '../../src/testing/redis-server.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { recordingLog, silentLog } from '../backend/redis/connected.js';
import { killMaster, patient, pauseMaster, successorOf } from './failover.js';

function open(sentinels: Pick<RedisSentinels, 'urls'>, more: object = {}): Promise<SharedState> {
  const redis = { sentinels: sentinels.urls, master: 'main', ...more };
  return openState({ namespace: 'app', redis, environment: {}, away: 'throw', log: silentLog });
}

describe('a master that sentinels name', () => {
  let sentinels: RedisSentinels;
  beforeAll(async () => {
    sentinels = await startRedisSentinels({ replicas: 2 });
  });
  afterAll(() => sentinels?.stop());

  it('is found, and named by the status', async () => {
    await using state = await open(sentinels);
    expect(await state.counter('visits').add()).toBe(1);
    const { port } = await sentinels.master();
    expect(state.status()).toMatchObject({ connected: true, endpoint: `127.0.0.1:${port}` });
    expect(state.rawClient).toHaveProperty('sendCommand');
    await state.probe();
  });

  it('is found when some sentinels are away', async () => {
    const gone = 'redis://127.0.0.1:1';
    await using state = await open({ urls: [gone, sentinels.urls[2] as string] });
    expect(state.status()).toMatchObject({ connected: true });
  });

  it('is not found under a name that no sentinel knows', async () => {
    await using state = await open(sentinels, { master: 'other' });
    expect(state.status()).toMatchObject({ connected: false, reason: expect.stringContaining("'other'") as string });
    await expect(state.counter('c').add()).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('closes while it is being sought', async () => {
    const state = await open({ urls: ['redis://127.0.0.1:1'] });
    const counter = state.counter('c');
    expect(state.status()).toMatchObject({ connected: false });
    await state.close();
    await expect(counter.add()).rejects.toMatchObject({ code: 'Closed' });
  });

  it('that steps down is left for its successor, of which no more is told as lost than it took since', async () => {
    await using state = await open(sentinels);
    const losses: { readonly kind: string }[] = [];
    state.on('stateLost', (loss) => void losses.push(loss));
    const old = await sentinels.master();
    await (sentinels.sentinels[0] as RedisServer).command('SENTINEL', 'FAILOVER', 'main');
    const { port } = await successorOf(sentinels, old);
    await waitUntil(
      () => `the successor to be used: ${JSON.stringify(state.status())}`,
      () => (state.status() as { endpoint?: string }).endpoint === `127.0.0.1:${port}` && state.status().connected,
      patient,
    );
    expect(await state.counter('c').add()).toBe(1);
    // A pulse that it took while it stepped down is one that its successor has not.
    expect(losses.filter(({ kind }) => kind !== 'rolledBack')).toEqual([]);
  });

  it('killed under load: another is found, and nothing durable is lost', async () => {
    await using state = await open(sentinels);
    const told: string[] = [];
    state.on('degraded', ({ reason }) => void told.push(`degraded ${reason}`));
    state.on('recovered', () => void told.push('recovered'));
    const heard: unknown[] = [];
    await state.channel<string>('news').subscribe((message) => void heard.push(message));
    const old = await sentinels.master();
    const failover = await killMaster(sentinels, state);
    console.log('master killed', failover);
    expect(failover.durable.lost).toBe(0);
    await waitUntil('all to be well', () => told.includes('recovered'), patient);
    expect(told).toEqual([expect.stringContaining(`127.0.0.1:${old.port}: `), 'recovered']);
    await state.channel<string>('news').publish('after');
    await waitUntil('the message', () => heard.includes('after'));
  });

  it('paused until another took over, it is sent nothing when it goes on', async () => {
    await using state = await open(sentinels);
    const failover = await pauseMaster(sentinels, state);
    console.log('master paused', failover);
    expect([failover.durable.lost, failover.later.lost]).toEqual([0, 0]);
  });
});

describe('logins', () => {
  it('of sentinels and of servers are two', async () => {
    const secret = { sentinel: 'for-sentinels', server: 'for-servers' };
    await using sentinels = await startRedisSentinels({ sentinels: 1 });
    for (const sentinel of sentinels.sentinels) {
      await sentinel.command('ACL', 'SETUSER', 'asker', 'on', `>${secret.sentinel}`, '~*', '&*', '+@all');
      await sentinel.command('ACL', 'SETUSER', 'default', 'off');
      await sentinel.command('SENTINEL', 'SET', 'main', 'auth-pass', secret.server);
    }
    for (const server of sentinels.servers) await server.command('CONFIG', 'SET', 'masterauth', secret.server);
    for (const server of sentinels.servers) await server.command('CONFIG', 'SET', 'requirepass', secret.server);
    const urls = sentinels.urls.map((url) => url.replace('://', `://asker:${secret.sentinel}@`));
    const log = recordingLog();
    const redis = { sentinels: urls, master: 'main', password: secret.server, database: 3 };
    await using state = await openState({ namespace: 'app', redis, environment: {}, away: 'throw', log });
    expect(state.status()).toMatchObject({ connected: true });
    await state.cache('c').set('k', 1);
    expect(log.lines.join()).not.toContain('for-');
  });
});
