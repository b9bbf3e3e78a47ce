import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';
import { useHolderProcesses } from './holder-processes.js';

const fenced = `
  if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 0 end
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('RPUSH', KEYS[2], ARGV[1])
  return 1`;

describe('locks of real processes', { timeout: 60_000 }, () => {
  const server = useServer();
  const start = useHolderProcesses();

  it('H.6: a holder that stood still for longer than its lease cannot write any more, and is told', async () => {
    const { child, said } = await start(server().url, 'stopped', 'hold');
    await using state = await openState({ redis: server().url, namespace: 'stopped' });
    await eventually(async () => expect(Number(await server().command('LLEN', 'writes'))).toBeGreaterThan(3));
    await pause(1_000);
    child.kill('SIGSTOP');
    const stoppedAt = performance.now();
    const held = await state.lock('l').acquire();
    const waitedMs = performance.now() - stoppedAt;
    expect(waitedMs).toBeGreaterThan(900);
    expect(waitedMs).toBeLessThan(3_500);
    const [old, token] = [said[0]?.token ?? '', held?.guard.token ?? ''];
    expect(Number(token)).toBeGreaterThan(Number(old));
    expect(await server().command('EVAL', fenced, '2', 'fence', 'writes', token)).toBe(1);
    child.kill('SIGCONT');
    await eventually(() => expect(said).toContainEqual({ refused: true }));
    await eventually(() => expect(said).toContainEqual({ aborted: 'LeaseLost' }));
    const writes = (await server().command('LRANGE', 'writes', '0', '-1')) as string[];
    expect(writes.indexOf(token)).toBe(writes.length - 1);
    expect(await held?.release()).toBe(true);
    child.kill('SIGKILL');
  });

  it('a holder that stood still writes nothing more by guarded calls from where the next one began', async () => {
    const { child, said } = await start(server().url, 'guarded', 'write');
    await using state = await openState({ redis: server().url, namespace: 'guarded' });
    const [map, counter, queue] = [state.map<string>('w'), state.counter('w'), state.queue<string>('w')];
    await eventually(async () => expect(await counter.get()).toBeGreaterThan(3));
    child.kill('SIGSTOP');
    const held = await state.lock('l').acquire();
    const guard = held?.guard;
    // What was on its way when the process was stopped has arrived by now.
    expect(await map.get('last', { guard })).toBe(said[0]?.token);
    const [count, { total }] = [await counter.get({ guard }), await queue.totals()];
    await queue.add('next', { guard });
    await map.set('last', 'next', { guard });
    child.kill('SIGCONT');
    await eventually(() => expect(said).toContainEqual({ refused: true }));
    expect(await map.get('last')).toBe('next');
    expect([await counter.get(), (await queue.totals()).total]).toEqual([count, total + 1]);
    child.kill('SIGKILL');
  });

  it('the lock of a killed holder is free when its lease is over', async () => {
    const { child } = await start(server().url, 'killed', 'hold');
    await using state = await openState({ redis: server().url, namespace: 'killed' });
    const killedAt = performance.now();
    child.kill('SIGKILL');
    const held = await state.lock('l').acquire({ wait: '10s' });
    expect(held).toBeDefined();
    expect(performance.now() - killedAt).toBeLessThan(2_500);
  });

  it('a leader that stands still is followed when its lease is over, hears of it when it wakes, and stands again', async () => {
    const first = await start(server().url, 'leaders', 'lead');
    await using state = await openState({ redis: server().url, namespace: 'leaders' });
    const leader = state.leader('l', { lease: '2s' });
    const tokens: string[] = [];
    const candidacy = leader.lead(({ guard }) => void tokens.push(guard.token));
    await eventually(async () => expect((await state.lock('leader:l').status()).waiting).toBe(1));
    first.child.kill('SIGSTOP');
    await eventually(() => expect(leader.isLeader).toBe(true));
    expect(Number(tokens[0])).toBeGreaterThan(Number(first.said[0]?.token));
    first.child.kill('SIGCONT');
    await eventually(() => expect(first.said).toContainEqual({ aborted: 'LeaseLost' }));
    await candidacy.close();
    await eventually(() => expect(first.said.filter(({ token }) => token !== undefined)).toHaveLength(2));
    first.child.kill('SIGKILL');
    leader.lead(({ guard }) => void tokens.push(guard.token));
    await eventually(() => expect(tokens).toHaveLength(2));
  });

  it('the tick of a process that was killed is done by another', async () => {
    const { child, said } = await start(server().url, 'ticks', 'every');
    child.kill('SIGKILL');
    await using state = await openState({ redis: server().url, namespace: 'ticks' });
    const ticks: number[] = [];
    state.every('x', '1s', ({ tickAtMs }) => void ticks.push(tickAtMs), { lease: '1s' });
    await eventually(() => expect(ticks.length).toBeGreaterThan(1));
    expect(ticks[0]).toBeGreaterThanOrEqual(said[0]?.tickAtMs ?? Infinity);
    expect(ticks).toEqual([...new Set(ticks)].toSorted((one, other) => one - other));
  });

  it('readers that wait get in, together, when the lease of a killed writer is over', async () => {
    const { child, said } = await start(server().url, 'readers', 'write-lock');
    await using state = await openState({ redis: server().url, namespace: 'readers' });
    const lock = state.readWriteLock('l');
    const waiting = [1, 2, 3].map(() => lock.read.acquire({ wait: '10s' }));
    await eventually(async () => expect((await lock.status()).waiting).toBe(3));
    child.kill('SIGKILL');
    const tokens = (await Promise.all(waiting)).map((held) => Number(held?.guard.token));
    expect(tokens[0]).toBeGreaterThan(Number(said[0]?.token));
    expect(new Set(tokens).size).toBe(1);
  });

  it('three processes count 600 under a lock, each token above the one before', async () => {
    await server().command('SET', 'count', '0');
    const processes = await Promise.all([1, 2, 3].map(() => start(server().url, 'count', 'count')));
    for (const { said } of processes) expect(said).toContainEqual({ counted: true });
    expect(await server().command('GET', 'count')).toBe('600');
    const tokens = ((await server().command('LRANGE', 'tokens', '0', '-1')) as string[]).map(Number);
    expect(tokens.every((token, index) => index === 0 || token > (tokens[index - 1] ?? 0))).toBe(true);
    for (const { child } of processes) child.kill('SIGKILL');
  });
});
