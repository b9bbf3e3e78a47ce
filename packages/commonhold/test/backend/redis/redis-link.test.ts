import { describe, expect, it } from 'vitest';
import { createRedisClient } from '../../../src/backend/redis/redis-client.js';
import { RedisLink } from '../../../src/backend/redis/redis-link.js';
import { systemClock } from '../../../src/clock.js';
import { systemRandom } from '../../../src/random.js';
import { startFaultProxy } from '../../../src/testing/fault-proxy.js';
import { leakCheck } from '../../../src/testing/leak-check.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';
import { pause, waitUntil } from '../../../src/testing/waiting.js';
import { useServer } from '../../engines.js';
import { connected, lost, mutating, outcome, reading, recordingLog, recovered, silentLog, timed } from './connected.js';
import { startSilentPort } from './silent-port.js';

const server = useServer();
const nobody = { host: '127.0.0.1', port: 1, database: 0 };

/** A link whose attempts fail, after `attemptMs` by its clock, with the delays between them in `delays`. */
async function failing(
  random: () => number,
  attemptMs = 0,
): Promise<{ link: RedisLink; delays: number[]; advance: (ms: number) => Promise<void> }> {
  const clock = createManualClock();
  const delays: number[] = [];
  let nowMs = 0;
  const link = new RedisLink(await createRedisClient(nobody, 500), {
    clock: {
      ...systemClock,
      // Looked at before and after each attempt.
      monotonic: () => (nowMs += attemptMs),
      setTimer: (callback, delayMs) => {
        if (delayMs !== 500) delays.push(delayMs);
        return delayMs === 500 ? systemClock.setTimer(callback, delayMs) : clock.setTimer(callback, delayMs);
      },
    },
    random: { ...systemRandom, number: random },
    log: silentLog,
    handshakeMs: 500,
    greet: () => Promise.resolve(),
    onLost: () => undefined,
    onReady: () => undefined,
  });
  await link.start();
  return { link, delays, advance: (ms) => clock.advance(ms) };
}

describe('backoff', () => {
  it('grows from 50 ms to 2 s, with full jitter', async () => {
    const { link, delays, advance } = await failing(() => 0.999);
    await waitUntil('ten attempts', async () => {
      await advance(2_000);
      return delays.length >= 10;
    });
    link.close();
    expect(delays.slice(0, 8).map(Math.round)).toEqual([50, 100, 200, 400, 799, 1598, 1998, 1998]);
  });

  it('counts an attempt that nobody answered as a wait', async () => {
    const { link, delays, advance } = await failing(() => 0.999, 500);
    await waitUntil('eight attempts', async () => {
      await advance(2_000);
      return delays.length >= 8;
    });
    link.close();
    expect(delays.slice(0, 8).map(Math.round)).toEqual([50, 50, 50, 50, 299, 1098, 1498, 1498]);
  });

  it('never spins, however the dice fall', async () => {
    const { link, delays, advance } = await failing(() => 0);
    await waitUntil('five attempts', async () => {
      await advance(50);
      return delays.length >= 5;
    });
    link.close();
    expect(new Set(delays)).toEqual(new Set([50]));
  });
});

describe('a port that does not answer at all', () => {
  it('ends each attempt within its time, and leaves no half-made connections behind', async () => {
    await using port = await startSilentPort();
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind.includes('TCP')).length;
    const before = sockets();
    const { outcome: opened, fairMs } = await timed(connected(`redis://127.0.0.1:${port.port}`));
    const connection = opened as Awaited<ReturnType<typeof connected>>;
    expect(fairMs).toBeLessThan(600);
    await pause(2_500);
    expect(sockets() - before).toBeLessThanOrEqual(1);
    await waitUntil('the next attempt', () => sockets() > before);
    await connection.close();
    await pause(5);
    expect(sockets()).toBe(before);
  });
});

describe('close', () => {
  it('leaves nothing open, connected or not, idle or in the middle of an attempt', async () => {
    await using leaks = leakCheck();
    void leaks;
    const listening = await connected(server().url);
    await listening.bus.subscribe('x', () => undefined);
    const idle = await connected(server().url);
    const away = await connected('redis://127.0.0.1:1');
    const hung = await connected(server().url);
    server().pause();
    void outcome(hung.wire.command(mutating, ['INCR', 'closing']));
    const attempting = await connected(server().url);
    // Into the next attempt.
    await pause(70);
    await Promise.all([listening, idle, away, hung, attempting].map((connection) => connection.close()));
    server().resume();
  });

  it('waits for calls in flight', async () => {
    const connection = await connected(server().url);
    await server().command('DEL', 'closing');
    const calls = Array.from({ length: 200 }, () => outcome(connection.wire.command(mutating, ['INCR', 'closing'])));
    await connection.close();
    const outcomes = await Promise.all(calls);
    expect(outcomes).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it('ends within the deadline although the server stopped answering, with the calls settled', async () => {
    const connection = await connected(server().url);
    server().pause();
    const call = outcome(connection.wire.command(mutating, ['INCR', 'closing']));
    const { fairMs } = await timed(connection.close());
    server().resume();
    expect(fairMs).toBeLessThan(600);
    expect(await call).toBe('OutcomeUnknown');
  });

  it('refuses calls from then on', async () => {
    const connection = await connected(server().url);
    await connection.close();
    expect(await outcome(connection.wire.command(reading, ['GET', 'k']))).toBe('Closed');
    expect(connection.status()).toEqual({ kind: 'redis', connected: false, reason: 'the state is closed' });
    const away = await connected('redis://127.0.0.1:1');
    await away.close();
    expect(await outcome(away.wire.command(reading, ['GET', 'k']))).toBe('Closed');
  });

  it('twice is fine, and no attempt comes after it', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    const connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    proxy.reset();
    await lost(connection);
    await Promise.all([connection.close(), connection.close()]);
    const { total } = proxy.connections;
    await pause(200);
    expect(proxy.connections).toEqual({ open: 0, total });
  });
});

describe('the log', () => {
  it('says once that Redis went and once that it came back', async () => {
    const log = recordingLog();
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`, { log });
    proxy.refuse();
    await lost(connection);
    await pause(300);
    await proxy.pass();
    await recovered(connection);
    await pause(20);
    expect(log.lines).toEqual([
      expect.stringMatching(/^Redis is unreachable/) as string,
      expect.stringMatching(/^Redis is back/) as string,
    ]);
  });
});
