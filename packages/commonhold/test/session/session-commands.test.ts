import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionsOptions } from '../../src/session/session-options.js';
import type { Sessions } from '../../src/session/session.js';
import { countCommands } from '../../src/testing/command-count.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { useServer } from '../engines.js';

type Data = Record<string, unknown>;

describe('commands of a session', () => {
  const server = useServer();
  let engine: Engine;
  beforeEach(async () => {
    engine = await redisEngine(server()).start();
  });
  afterEach(() => engine.close());

  const open = async (options: SessionsOptions = {}): Promise<Sessions<Data>> =>
    (await engine.open()).sessions<Data>('s', options);
  /** Commands without the hashes of scripts. A script's first run in a server's life needs its text as well. */
  const count = async (work: () => Promise<unknown>): Promise<string[]> =>
    (await countCommands(server(), work, { ignore: ['EVAL'] })).map((command) => command.replace(/ .*/, ''));

  it('reads with one plain command, and with one script where a touch is due', async () => {
    const [maker, sessions] = [await open(), await open()];
    const { token } = await maker.create({ user: 'ada', data: { n: 1 } });
    expect(await count(() => sessions.read(token))).toEqual(['EVALSHA']);
    expect(await count(() => sessions.read(token))).toEqual(['HGETALL']);
    expect(await count(() => maker.read(token))).toEqual(['HGETALL']);
    await engine.advance(16_000);
    expect(await count(() => sessions.read(token))).toEqual(['EVALSHA']);
    expect(await count(() => sessions.read(token))).toEqual(['HGETALL']);
  });

  it('touches at most every hundredth of a short idle time', async () => {
    const sessions = await open({ idle: '100s' });
    const { token } = await sessions.create();
    await engine.advance(700);
    expect(await count(() => sessions.read(token))).toEqual(['HGETALL']);
    await engine.advance(400);
    expect(await count(() => sessions.read(token))).toEqual(['EVALSHA']);
  });

  it('reads with one script where expired sessions are remembered', async () => {
    const sessions = await open({ remember: '1h' });
    const { token } = await sessions.create();
    expect(await count(() => sessions.read(token))).toEqual(['EVALSHA']);
  });

  it('asks for bytes from then on where a session was seen to hold some, at the cost of one more read', async () => {
    const sessions = await open();
    const bytes = Buffer.from([1, 200, 0, 255]);
    const [binary, text] = [
      await sessions.create({ data: { bytes } }),
      await sessions.create({ data: { text: '\ufffd' } }),
    ];
    const read = async (token: string): Promise<unknown> => (await sessions.read(token)).session?.data;
    expect(await read(text.token)).toEqual({ text: '\ufffd' });
    const other = await open();
    await other.read(binary.token);
    expect(await count(async () => expect((await other.read(binary.token)).session?.data).toEqual({ bytes }))).toEqual([
      'HGETALL',
      'HGETALL',
    ]);
    expect(await count(async () => expect((await other.read(binary.token)).session?.data).toEqual({ bytes }))).toEqual([
      'HGETALL',
    ]);
  });

  it('sends nothing for what is no token', async () => {
    const sessions = await open();
    const work = async (): Promise<void> => {
      for (const bad of ['', 'x', 'X'.repeat(64)]) {
        await sessions.read(bad);
        await sessions.set(bad, {});
        await sessions.update(bad, () => ({}));
        await sessions.rotate(bad);
        await sessions.revoke(bad);
        await sessions.revokeById('ada', bad);
      }
    };
    expect(await count(work)).toEqual([]);
  });

  it('sends one script for each other operation, two for an update and for a login', async () => {
    const sessions = await open();
    let { token } = await sessions.create();
    const one = ['EVALSHA'];
    expect(await count(() => sessions.create({ user: 'ada', data: { a: 1, b: 2 } }))).toEqual(one);
    expect(await count(() => sessions.set(token, { a: 1 }))).toEqual(one);
    expect(await count(() => sessions.update(token, () => ({ a: 2 })))).toEqual(['HGETALL', 'EVALSHA']);
    const login = async (): Promise<void> => {
      token = (await sessions.rotate(token, { user: 'ada' }))?.token ?? '';
    };
    expect(await count(login)).toEqual(['EVALSHA', 'EVALSHA']);
    expect(await count(login)).toEqual(one);
    const [first] = await sessions.list('ada');
    expect(await count(() => sessions.list('ada'))).toEqual(one);
    expect(await count(() => sessions.revokeById('ada', first?.id ?? ''))).toEqual(one);
    expect(await count(() => sessions.revoke(token))).toEqual(one);
  });

  it('renews with one script, and opens by an old token with one command more', async () => {
    const [sessions, other] = [await open(), await open()];
    const { token } = await sessions.create({ user: 'ada', device: { name: 'Desk' } });
    expect(await count(() => sessions.renew(token))).toEqual(['EVALSHA']);
    expect(await count(() => other.read(token))).toEqual(['EVALSHA']);
    expect(await count(() => other.read(token))).toEqual(['HGETALL', 'EVALSHA']);
  });

  it('sends three scripts for a login in another slot that may be refused, and one for one that is', async () => {
    const sessions = await open({ maxPerUser: 1, whenFull: 'refuse' });
    const [first, second] = [await sessions.create(), await sessions.create()];
    const script = 'EVALSHA';
    expect(await count(() => sessions.rotate(first.token, { user: 'ada' }))).toEqual([script, script, script]);
    expect(await count(() => sessions.rotate(second.token, { user: 'ada' }).catch(() => undefined))).toEqual([script]);
  });

  it('watches with one subscription for all, and reads each session as ever', async () => {
    const sessions = await open();
    const [first, second] = [await sessions.create({ user: 'ada' }), await sessions.create({ user: 'ada' })];
    expect(await count(() => sessions.watch(first.token, () => undefined))).toEqual(['SUBSCRIBE', 'HGETALL']);
    expect(await count(() => sessions.watch(second.token, () => undefined))).toEqual(['HGETALL']);
  });

  it('reads again by what the refused write says, without another read', async () => {
    const [one, two] = [await open(), await open()];
    const { token } = await one.create({ data: { n: 0 } });
    await one.read(token);
    let other: Promise<unknown> | undefined;
    const work = async (): Promise<void> => {
      await one.update(token, ({ n }) => {
        other ??= two.set(token, { m: 1 });
        return { n: Number(n) + 1 };
      });
      await other;
    };
    const commands = await count(work);
    expect(commands.filter((name) => name === 'HGETALL')).toHaveLength(1);
    expect(commands.length).toBeLessThanOrEqual(4);
    expect((await one.read(token)).session?.data).toEqual({ n: 1, m: 1 });
  });

  it('S4.12: logs a user out everywhere in one round trip, among 20,000 sessions', async () => {
    const sessions = await open();
    const login = (index: number): ReturnType<typeof sessions.create> =>
      sessions.create({ user: index % 2_000 === 0 ? 'ada' : `user-${index % 5_000}`, data: { index } });
    const tokens: string[] = [];
    for (let start = 0; start < 20_000; start += 200) {
      const batch = await Promise.all(Array.from({ length: 200 }, (_, offset) => login(start + offset)));
      tokens.push(...batch.map(({ token }) => token));
    }
    let revoked = 0;
    const work = async (): Promise<void> => {
      revoked = await sessions.revokeAll('ada');
    };
    expect(await count(work)).toEqual(['EVALSHA']);
    expect(revoked).toBe(10);
    const states: (string | undefined)[] = [];
    for (let start = 0; start < tokens.length; start += 200) {
      const reads = await Promise.all(tokens.slice(start, start + 200).map((token) => sessions.read(token)));
      states.push(...reads.map(({ reason }) => reason));
    }
    expect(states.flatMap((reason, index) => (reason === undefined ? [] : [[index, reason]]))).toEqual(
      Array.from({ length: 10 }, (_, nth) => [nth * 2_000, 'revoked']),
    );
  });
});
