import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { RespConnection, type RespReply } from '../../src/testing/resp-connection.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('watching sessions on a real server', () => {
  const server = useServer();
  const states: SharedState[] = [];
  let proxy: FaultProxy;

  beforeEach(async () => {
    await server().command('FLUSHALL');
    proxy = await startFaultProxy({ port: server().port });
  });
  afterEach(async () => {
    await Promise.all(states.splice(0).map((state) => state.close()));
    await proxy.stop();
  });

  async function open(port: number = server().port): Promise<SharedState> {
    const state = await openState({ namespace: 'watch', redis: `redis://127.0.0.1:${port}`, log: silent });
    states.push(state);
    await waitUntil('the connection', () => state.status().connected);
    return state;
  }

  const subscribers = async (): Promise<number> =>
    Number(((await server().command('PUBSUB', 'NUMSUB', 'watch:session:{s}:news')) as unknown[])[1]);

  it('S19: what ended while the link was broken is told of when it is back, each once, and the rest goes on', async () => {
    const [away, there] = [await open(proxy.port), (await open()).sessions('s')];
    const here = away.sessions('s');
    const heard: string[] = [];
    const logins = await Promise.all(Array.from({ length: 30 }, (_, n) => there.create({ user: `user-${n}` })));
    for (const [n, { token }] of logins.entries()) {
      await here.watch(token, (reason) => void heard.push(`${n} ${reason}`));
    }
    proxy.refuse();
    await waitUntil('the break', () => !away.status().connected);
    const renewed = await there.renew(logins[20]?.token ?? '');
    for (const { token } of logins.slice(0, 20)) await there.revoke(token);
    await proxy.pass();
    await waitUntil('the news', () => heard.length >= 20);
    expect(heard.toSorted()).toEqual(Array.from({ length: 20 }, (_, n) => `${n} revoked`).toSorted());
    await there.revoke(renewed?.token ?? '');
    await waitUntil('the news of what was renewed meanwhile', () => heard.includes('20 revoked'));
    expect(heard).toHaveLength(21);
  });

  it('the subscription goes with the last who watches, and comes again with the next', async () => {
    const sessions = (await open()).sessions('s');
    const { token } = await sessions.create({ user: 'ada' });
    const heard: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const [one, two] = [
        await sessions.watch(token, () => void heard.push('one')),
        await sessions.watch(token, () => void heard.push('two')),
      ];
      expect(await subscribers()).toBe(1);
      one.close();
      expect(await subscribers()).toBe(1);
      two.close();
      await waitUntil('the end of the subscription', async () => (await subscribers()) === 0);
    }
    await sessions.watch(token, () => void heard.push('last'));
    await sessions.revoke(token);
    await waitUntil('the news', () => heard.length > 0);
    await waitUntil('the end of the subscription', async () => (await subscribers()) === 0);
    expect(heard).toEqual(['last']);
  });

  it('publishes ids and never a token', async () => {
    const listener = await RespConnection.open(server().port);
    const published: RespReply[] = [];
    listener.onUnsolicited = (reply) => void published.push(reply);
    await listener.send('PSUBSCRIBE', '*');
    const sessions = (await open()).sessions('s', { maxPerUser: 2, remember: '1h' });
    const tokens: string[] = [];
    const keep = (login: { token: string } | undefined): string => {
      tokens.push(login?.token ?? '');
      return login?.token ?? '';
    };
    const first = keep(await sessions.create());
    const login = keep(await sessions.rotate(first, { user: 'ada' }));
    keep(await sessions.renew(login));
    for (let n = 0; n < 3; n += 1) keep(await sessions.create({ user: 'ada' }));
    await sessions.revokeAll('ada');
    await waitUntil('the news', () => published.length >= 5);
    const text = JSON.stringify(published);
    expect(text).toContain('renewed');
    expect(tokens.filter((token) => text.includes(token) || text.includes(token.slice(4)))).toEqual([]);
    await listener.close();
  });

  it('what another program publishes there harms nobody', async () => {
    const sessions = (await open()).sessions('s');
    const { token } = await sessions.create({ user: 'ada' });
    const heard: string[] = [];
    await sessions.watch(token, (reason) => void heard.push(reason));
    for (const text of ['', ' ', 'x', 'revoked', 'renewed', 'renewed a', 'revoked  a', '\u00ff\u0000', 'moved a b']) {
      await server().command('PUBLISH', 'watch:session:{s}:news', text);
    }
    await sessions.revoke(token);
    await waitUntil('the news', () => heard.length > 0);
    expect(heard).toEqual(['revoked']);
  });
});

describe('watching sessions in memory', () => {
  it('leaves no timer and no listener behind, however it ends', async () => {
    const clock = createManualClock();
    const memory = createMemoryStore();
    const state = await openState({ namespace: 'watch', memory, clock, log: silent });
    const sessions = state.sessions('s', { idle: '2m' });
    const idle = clock.timers;
    const abort = new AbortController();
    const { token } = await sessions.create({ user: 'ada' });
    const closed = await sessions.watch(token, () => undefined);
    await sessions.watch(token, () => undefined, { signal: abort.signal });
    await sessions.watch(token, () => undefined);
    expect(clock.timers).toBeGreaterThan(idle);
    closed.close();
    abort.abort();
    await sessions.revoke(token);
    await wait(1);
    expect(clock.timers).toBe(idle);
    const other = await sessions.create({ user: 'ada' });
    await sessions.watch(other.token, () => undefined);
    await state.close();
    expect(clock.timers).toBe(0);
    memory.close();
  });

  it('looks at each session within a minute, should a message be lost', async () => {
    const clock = createManualClock();
    const memory = createMemoryStore({ clock });
    const state = await openState({ namespace: 'watch', memory, clock, log: silent });
    const sessions = state.sessions('s', { idle: '1h' });
    const heard: string[] = [];
    const logins = await Promise.all(Array.from({ length: 700 }, () => sessions.create({ user: 'ada' })));
    for (const { token } of logins) await sessions.watch(token, (reason) => void heard.push(reason));
    memory.bus.publish = () => undefined;
    const other = await openState({ namespace: 'watch', memory, clock, log: silent });
    await other.sessions('s', { idle: '1h' }).revokeAll('ada');
    await clock.advance(20_000);
    expect(heard).toEqual([]);
    await clock.advance(41_000);
    expect(heard).toHaveLength(700);
    await Promise.all([state.close(), other.close()]);
    memory.close();
  });
});
