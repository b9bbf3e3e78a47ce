import { describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../../src/testing/fault-proxy.js';
import { eventLoopTurn, pause } from '../../../src/testing/waiting.js';
import { useServer } from '../../engines.js';
import {
  cacheReading,
  connected,
  incrementScript,
  lost,
  mutating,
  outcome,
  reading,
  recovered,
  repeatable,
  timed,
} from './connected.js';

const server = useServer();

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('a deadline', () => {
  it('settles every kind of call on a server that stands still, with what may have happened', async () => {
    await using connection = await connected(server().url);
    server().pause();
    try {
      const [read, mutation, idempotent, cached] = await Promise.all([
        timed(connection.wire.command(reading, ['GET', 'k'])),
        timed(connection.wire.command(mutating, ['INCR', 'k'])),
        timed(connection.wire.run(repeatable, incrementScript, ['k'], [])),
        timed(connection.wire.command(cacheReading, ['GET', 'k'])),
      ]);
      expect(read.outcome).toBe('Unavailable');
      expect(mutation.outcome).toBe('OutcomeUnknown');
      expect(idempotent.outcome).toBe('OutcomeUnknown');
      expect(cached.outcome).toBe('Unavailable');
      for (const { fairMs } of [read, mutation, idempotent]) expect(fairMs).toBeLessThan(550);
      expect(cached.ms).toBeGreaterThan(95);
      expect(cached.fairMs).toBeLessThan(150);
    } finally {
      server().resume();
    }
  });

  it('says whether running twice would harm', async () => {
    await using connection = await connected(server().url);
    server().pause();
    try {
      const calls = [mutating, repeatable].map((operation) => connection.wire.command(operation, ['SET', 'k', '1']));
      const settled = await Promise.allSettled(calls);
      const retrySafe = settled.map(
        (call) => call.status === 'rejected' && (call.reason as { retrySafe?: boolean }).retrySafe,
      );
      expect(retrySafe).toEqual([false, true]);
    } finally {
      server().resume();
    }
  });

  it('that passed leaves the reply to nobody: the next call gets its own', async () => {
    await using connection = await connected(server().url, { deadlineMs: { state: 60, cache: 60 } });
    await using other = await connected(server().url);
    await other.wire.command(mutating, ['SET', 'answer', 'mine']);
    const sleeping = outcome(connection.wire.command(mutating, ['DEBUG', 'SLEEP', '0.2']));
    expect(await sleeping).toBe('OutcomeUnknown');
    expect(await outcome(connection.wire.command(reading, ['GET', 'answer']))).toBe('Unavailable');
    await pause(200);
    expect(await connection.wire.command(reading, ['GET', 'answer'])).toBe('mine');
  });
});

describe('a hung connection', () => {
  it('H.2: is given up after 500 to 600 ms of silence with calls in flight', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    proxy.blackhole();
    const {
      outcome: code,
      ms,
      fairMs,
    } = await timed(
      (async () => {
        await outcome(connection.wire.command(cacheReading, ['GET', 'k']));
        expect(proxy.connections.open).toBe(1);
        await lost(connection);
      })(),
    );
    expect(code).toBeUndefined();
    expect(ms).toBeGreaterThan(480);
    expect(fairMs).toBeLessThan(620);
  });

  it('is not declared because our own event loop stood still with replies waiting', async () => {
    await using connection = await connected(server().url);
    const id = await connection.wire.command(reading, ['CLIENT', 'ID']);
    for (const stallMs of [150, 300, 700]) {
      const call = connection.wire.command(cacheReading, ['GET', 'absent']);
      // Until it is written.
      await eventLoopTurn();
      spin(stallMs);
      expect(await outcome(call)).toBeNull();
    }
    expect(await connection.wire.command(reading, ['CLIENT', 'ID'])).toBe(id);
  });

  it('is not declared by 200 ms of latency each way', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    proxy.delay(200);
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    expect(connection.status()).toMatchObject({ connected: true });
    for (let call = 0; call < 4; call++) expect(await connection.wire.command(reading, ['GET', 'absent'])).toBeNull();
    const burst = Array.from({ length: 50 }, () => outcome(connection.wire.command(cacheReading, ['GET', 'absent'])));
    expect(new Set(await Promise.all(burst))).toEqual(new Set(['Unavailable']));
    await pause(700);
    expect(proxy.connections).toEqual({ open: 1, total: 1 });
  });

  it('is not declared while a large reply keeps coming, however long it takes', async () => {
    const bytes = 60_000;
    await server().command('SET', 'large', 'x'.repeat(bytes));
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`, {
      deadlineMs: { state: 15_000, cache: 100 },
    });
    proxy.splitBytes();
    const { outcome: reply, ms } = await timed(connection.wire.command(reading, ['GET', 'large']));
    expect(String(reply)).toHaveLength(bytes);
    expect(ms).toBeGreaterThan(600);
    expect(proxy.connections.total).toBe(1);
  });

  it('is not declared on a connection that is merely idle', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    await pause(3_500);
    expect(proxy.connections).toEqual({ open: 1, total: 1 });
    expect(connection.status().connected).toBe(true);
  });

  it('is noticed within 3 s although nobody calls, only listens', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    await pause(300);
    proxy.blackhole();
    const { fairMs } = await timed(lost(connection));
    expect(fairMs).toBeLessThan(3_000);
  });
});

describe('a lost reply', () => {
  it('H.1: is an unknown outcome, and the call is never sent again', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    await connection.wire.run(mutating, incrementScript, ['count'], []);
    await server().command('DEL', 'count');
    const rounds = 24;
    for (let round = 0; round < rounds; round++) {
      await recovered(connection);
      proxy.dropReplyThenReset();
      const call =
        round % 2 === 0
          ? connection.wire.command(mutating, ['INCR', 'count'])
          : connection.wire.run(mutating, incrementScript, ['count'], []);
      expect(await outcome(call)).toBe('OutcomeUnknown');
    }
    expect(await server().command('GET', 'count')).toBe(String(rounds));
  });

  it('of many in flight: none runs twice, and what is known to have run did', async () => {
    await using proxy = await startFaultProxy({ port: server().port });
    await using connection = await connected(`redis://127.0.0.1:${proxy.port}`);
    await server().command('DEL', 'count');
    let sent = 0;
    let done = 0;
    for (let round = 0; round < 8; round++) {
      await recovered(connection);
      const calls = Array.from({ length: 200 }, () => outcome(connection.wire.command(mutating, ['INCR', 'count'])));
      await eventLoopTurn();
      if (round % 2 === 0) proxy.reset();
      else setImmediate(() => proxy.reset());
      const outcomes = await Promise.all(calls);
      sent += outcomes.filter((code) => code !== 'Unavailable').length;
      done += outcomes.filter((code) => typeof code === 'number').length;
    }
    await recovered(connection);
    const count = Number(await server().command('GET', 'count'));
    expect(count).toBeGreaterThanOrEqual(done);
    expect(count).toBeLessThanOrEqual(sent);
  });
});

describe('a script', () => {
  it('that the server lost is sent again in full, within the same call', async () => {
    await using connection = await connected(server().url);
    await server().command('DEL', 'count');
    for (let round = 1; round <= 5; round++) {
      await server().command('SCRIPT', 'FLUSH');
      expect(await connection.wire.run(mutating, incrementScript, ['count'], [])).toBe(round);
    }
  });

  it('reaches no caller with NOSCRIPT under load, and runs once a call', async () => {
    await using connection = await connected(server().url);
    await server().command('DEL', 'count');
    const calls: Promise<unknown>[] = [];
    for (let batch = 0; batch < 40; batch++) {
      for (let call = 0; call < 50; call++) calls.push(connection.wire.run(mutating, incrementScript, ['count'], []));
      if (batch % 3 === 0) await server().command('SCRIPT', 'FLUSH');
    }
    expect(new Set(await Promise.all(calls)).size).toBe(calls.length);
    expect(await server().command('GET', 'count')).toBe(String(calls.length));
  });

  it('H.18: whose keys lie in different slots is refused on every server', async () => {
    await using connection = await connected(server().url);
    expect(await outcome(connection.wire.run(mutating, incrementScript, ['{a}1', '{b}1'], []))).toBe('InvalidArgument');
  });
});

describe('too many calls', () => {
  it('are refused one by one beyond 10,000, and the rest are answered', async () => {
    await using connection = await connected(server().url, { deadlineMs: { state: 10_000, cache: 100 } });
    const calls = Array.from({ length: 10_050 }, () => outcome(connection.wire.command(mutating, ['INCR', 'many'])));
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((code) => code === 'Overloaded')).toHaveLength(50);
    expect(outcomes.filter((reply) => typeof reply === 'number')).toHaveLength(10_000);
  });
});
