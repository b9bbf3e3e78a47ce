import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { countCommands } from '../../src/testing/command-count.js';
import { redisEngine } from '../../src/testing/engine.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('sessions when the server is full or gone', () => {
  const server = useServer();

  it('lets nobody in when memory is full, but everybody go on and out', async () => {
    const engine = await redisEngine(server()).start();
    const [first, second] = [
      (await engine.open()).sessions('s'),
      (await engine.open()).sessions('s', { remember: '1h' }),
    ];
    const logins = await Promise.all(Array.from({ length: 6 }, () => first.create({ user: 'ada', data: { n: 1 } })));
    const tokens = logins.map(({ token }) => token);
    await server().command('CONFIG', 'SET', 'maxmemory', '1');
    await expect(first.create({ user: 'ada' })).rejects.toMatchObject({ code: 'Overloaded' });
    await expect(first.set(tokens[0] ?? '', { n: 2 })).rejects.toMatchObject({ code: 'Overloaded' });
    await expect(first.rotate(tokens[0] ?? '')).rejects.toMatchObject({ code: 'Overloaded' });
    await engine.advance(60_000);
    expect((await first.read(tokens[0] ?? '')).session?.data).toEqual({ n: 1 });
    expect((await second.read(tokens[1] ?? '')).session?.version).toBe(1);
    await engine.advance(29 * 60_000 + 30_000);
    expect(await first.list('ada')).toHaveLength(2);
    expect(await first.revoke(tokens[0] ?? '')).toBe(true);
    expect(await first.revokeAll('ada')).toBe(1);
    expect((await first.read(tokens[0] ?? '')).reason).toBe('revoked');
    await server().command('CONFIG', 'SET', 'maxmemory', '0');
    await engine.close();
  });

  it('touches with the next read where a touch got no answer', async () => {
    const engine = await redisEngine(server()).start();
    const [maker, state] = [(await engine.open()).sessions('s'), await engine.open()];
    const sessions = state.sessions('s');
    const { token } = await maker.create({ user: 'ada' });
    server().pause();
    await expect(sessions.read(token)).rejects.toMatchObject({ code: 'OutcomeUnknown' });
    server().resume();
    const back = async (): Promise<boolean> =>
      state.probe().then(
        () => true,
        () => false,
      );
    await waitUntil('the server', back);
    const commands = await countCommands(server(), () => sessions.read(token));
    expect(commands).toEqual([expect.stringMatching(/^EVALSHA /)]);
    await engine.close();
  });

  it('answers at once that the store is away, without a token in the error', async () => {
    const engine = await redisEngine(server()).start();
    const sessions = (await engine.open()).sessions('s', { away: 'closed' });
    const { token } = await sessions.create({ user: 'ada' });
    await server().kill();
    const calls = [
      () => sessions.read(token),
      () => sessions.set(token, { a: 1 }),
      () => sessions.rotate(token, { user: 'bob' }),
    ];
    const more = [
      () => sessions.revoke(token),
      () => sessions.revokeAll('ada'),
      () => sessions.list('ada'),
      () => sessions.create(),
    ];
    for (const call of [...calls, ...more]) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: expect.stringMatching(/^(?:Unavailable|OutcomeUnknown)$/) });
      expect(inspect(error, { depth: 20 })).not.toContain(token.slice(4));
    }
    await engine.close();
    await server().restart();
  });
});
