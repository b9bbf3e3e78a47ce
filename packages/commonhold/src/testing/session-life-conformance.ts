import assert from 'node:assert/strict';
import type { SessionsOptions } from '../session/session-options.js';
import type { Sessions } from '../session/session.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

type Data = Record<string, unknown>;

async function open(engine: Engine, options: SessionsOptions = {}): Promise<Sessions<Data>> {
  return (await engine.open()).sessions<Data>('s', options);
}

async function state(sessions: Sessions<Data>, token: string): Promise<string> {
  return (await sessions.read(token)).reason ?? 'live';
}

/** How often each race is run. */
const tries = 1_000;
/** Races run beside each other, each on a session of its own. */
const abreast = 50;

async function race(run: (index: number) => Promise<void>): Promise<void> {
  for (let start = 0; start < tries; start += abreast) {
    await Promise.all(Array.from({ length: abreast }, (_, offset) => run(start + offset)));
  }
}

/** What every session twin must do: how sessions end, and what concurrent requests may not do to them. */
export function sessionLifeConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'life of a session', (test) => {
    test('a session ends when it was not used for the idle time, and use puts that off', async (engine) => {
      const sessions = await open(engine, { idle: '10s' });
      const { token, session } = await sessions.create();
      await engine.advance(9_000);
      const read = await sessions.read(token);
      assert.ok((read.session?.expiresAtMs ?? 0) >= session.expiresAtMs + 9_000);
      await engine.advance(9_000);
      assert.equal(await state(sessions, token), 'live');
      await engine.advance(11_000);
      assert.equal(await state(sessions, token), 'absent');
    });

    test('writing is not use', async (engine) => {
      const sessions = await open(engine, { idle: '10s' });
      const { token } = await sessions.create();
      await engine.advance(9_000);
      assert.equal(await sessions.set(token, { n: 1 }), 2);
      await engine.advance(2_000);
      assert.equal(await sessions.set(token, { n: 2 }), undefined);
      assert.equal(await state(sessions, token), 'absent');
    });

    test('use cannot put off the absolute end', async (engine) => {
      for (const remember of [undefined, '1h'] as const) {
        const sessions = await open(engine, { idle: '10s', absolute: '25s', ...(remember && { remember }) });
        const { token, session } = await sessions.create({ user: 'ada' });
        for (const _ of [1, 2, 3]) {
          await engine.advance(8_000);
          assert.equal(await state(sessions, token), 'live');
        }
        assert.equal((await sessions.read(token)).session?.expiresAtMs, session.createdAtMs + 25_000);
        await engine.advance(2_000);
        assert.equal(await state(sessions, token), remember === undefined ? 'absent' : 'absolute');
        assert.equal(await sessions.set(token, { n: 1 }), undefined);
        assert.deepEqual(await sessions.list('ada'), []);
      }
    });

    test('nor can it where the last reads before the end were too many to be noted', async (engine) => {
      const sessions = await open(engine, { idle: '1h', absolute: '25s' });
      const { token } = await sessions.create({ user: 'ada' });
      for (const ms of [16_000, 4_000, 4_000]) {
        await engine.advance(ms);
        assert.equal(await state(sessions, token), 'live');
      }
      await engine.advance(2_000);
      assert.equal(await state(sessions, token), 'absent');
      assert.equal(await sessions.set(token, { n: 1 }), undefined);
    });

    test('an absolute lifetime shorter than the idle one rules', async (engine) => {
      const sessions = await open(engine, { idle: '1h', absolute: '10s', remember: '1h' });
      const { token, session } = await sessions.create();
      assert.equal(session.expiresAtMs, session.createdAtMs + 10_000);
      await engine.advance(11_000);
      assert.equal(await state(sessions, token), 'absolute');
    });

    test('H.16: long lifetimes do not end at once, and a fraction of a millisecond does not last', async (engine) => {
      const long = await open(engine, { idle: '36500d', absolute: '36500d', remember: '36500d' });
      const { token } = await long.create({ user: 'ada' });
      await engine.advance(29 * 86_400_000);
      assert.equal(await state(long, token), 'live');
      const short = await open(engine, { idle: 0.5 });
      const brief = await short.create();
      await engine.advance(1_000);
      assert.equal(await state(short, brief.token), 'absent');
    });

    test('an expired session is told from an unknown one while it is remembered, and holds nothing', async (engine) => {
      const sessions = await open(engine, { idle: '10s', absolute: '1h', remember: '1m' });
      const { token } = await sessions.create({ user: 'ada', data: { n: 1 } });
      await engine.advance(11_000);
      assert.equal(await sessions.set(token, { n: 2 }), undefined);
      assert.equal(await sessions.update(token, () => ({ n: 2 })), undefined);
      assert.equal(await sessions.rotate(token, { user: 'bob' }), undefined);
      assert.equal(await sessions.revoke(token), false);
      assert.deepEqual(await sessions.read(token), { session: undefined, reason: 'idle' });
      assert.deepEqual(await sessions.list('ada'), []);
      assert.equal(await sessions.revokeAll('ada'), 0);
      await engine.advance(55_000);
      assert.equal(await state(sessions, token), 'idle');
      await engine.advance(6_000);
      assert.equal(await state(sessions, token), 'absent');
    });

    test('a revoked session is called revoked for a time, then absent', async (engine) => {
      const sessions = await open(engine, { tombstone: '1m' });
      const { token } = await sessions.create({ user: 'ada' });
      await sessions.revoke(token);
      await engine.advance(55_000);
      assert.equal(await state(sessions, token), 'revoked');
      await engine.advance(6_000);
      assert.equal(await state(sessions, token), 'absent');
    });

    test('the absolute end moves with a login of another user, not with a new token', async (engine) => {
      const sessions = await open(engine, { idle: '1h', absolute: '60s' });
      const begun = await sessions.create({ user: 'ada' });
      await engine.advance(40_000);
      const renewed = await sessions.rotate(begun.token, { user: 'ada' });
      assert.equal(renewed?.session.createdAtMs, begun.session.createdAtMs);
      assert.equal(renewed?.session.expiresAtMs, begun.session.expiresAtMs);
      const other = await sessions.rotate(renewed?.token ?? '', { user: 'bob' });
      assert.ok((other?.session.expiresAtMs ?? 0) >= begun.session.expiresAtMs + 40_000);
      const anonymous = await sessions.create();
      await engine.advance(40_000);
      const login = await sessions.rotate(anonymous.token, { user: 'cyd' });
      assert.ok((login?.session.createdAtMs ?? 0) >= anonymous.session.createdAtMs + 40_000);
      await engine.advance(30_000);
      assert.equal(await state(sessions, login?.token ?? ''), 'live');
      assert.equal(await state(sessions, other?.token ?? ''), 'absent');
    });

    test('the list of a user outlives the logins that others of the list have', async (engine) => {
      const long = await open(engine, { idle: '1h', absolute: '1h' });
      const short = await open(engine, { idle: '10s', absolute: '10s' });
      const { token } = await long.create({ user: 'ada' });
      await short.create({ user: 'ada' });
      await engine.advance(60_000);
      assert.equal((await long.list('ada')).length, 1);
      assert.equal(await long.revokeAll('ada'), 1);
      assert.equal(await state(long, token), 'revoked');
    });

    test('H.7: a session that ends between read and write stays ended', async (engine) => {
      const sessions = await open(engine, { idle: '10s' });
      const { token } = await sessions.create({ user: 'ada', data: { n: 1 } });
      assert.equal((await sessions.read(token)).reason, undefined);
      await engine.advance(11_000);
      assert.equal(await sessions.set(token, { n: 2 }), undefined);
      assert.equal(await sessions.rotate(token), undefined);
      assert.equal(await state(sessions, token), 'absent');
      assert.deepEqual(await sessions.list('ada'), []);
    });

    test(`H.7: a slow request never brings back a session that was logged out (${tries} times)`, async (engine) => {
      const [slow, other] = [await open(engine), await open(engine)];
      const finish: ((token: string) => Promise<unknown>)[] = [
        (token) => slow.set(token, { saved: true }),
        (token) => slow.update(token, () => ({ saved: true })),
        (token) => slow.read(token),
        (token) => slow.rotate(token, { data: { saved: true } }).then((login) => login && other.revoke(login.token)),
      ];
      await race(async (index) => {
        const { token } = await other.create({ user: `user-${index}`, data: { n: 1 } });
        if (index % 3 > 0) await slow.read(token);
        const request = finish[index % finish.length];
        const early = index % 2 === 0 ? request?.(token) : undefined;
        await other.revoke(token);
        await Promise.all([early, request?.(token)]);
        assert.equal(await state(slow, token), 'revoked');
        assert.equal(await state(other, token), 'revoked');
        assert.deepEqual(await other.list(`user-${index}`), []);
      });
    });

    test(`a logout while an update computes wins (${tries} times)`, async (engine) => {
      const [slow, other] = [await open(engine), await open(engine)];
      await race(async () => {
        const { token } = await other.create();
        let logout: Promise<boolean> | undefined;
        await slow.update(token, () => {
          logout ??= other.revoke(token);
          return { saved: true };
        });
        assert.equal(await logout, true);
        assert.equal(await state(slow, token), 'revoked');
      });
    });

    test(`H.7: two concurrent writes of different fields both survive (${tries} times)`, async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      await race(async () => {
        const { token } = await one.create({ data: { a: 0, b: 0 } });
        await Promise.all([one.set(token, { a: 1 }), two.set(token, { b: 1 })]);
        const { session } = await one.read(token);
        assert.deepEqual([session?.data, session?.version], [{ a: 1, b: 1 }, 3]);
      });
    });

    test(`H.7: two concurrent updates of one field both survive (${tries} times)`, async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const increment = ({ n }: Data): Data => ({ n: Number(n) + 1 });
      await race(async () => {
        const { token } = await one.create({ data: { n: 0 } });
        await Promise.all([one.update(token, increment), two.update(token, increment), one.set(token, { other: 1 })]);
        const { session } = await two.read(token);
        assert.deepEqual([session?.data, session?.version], [{ n: 2, other: 1 }, 4]);
      });
    });

    test('twenty concurrent updates from two processes count to twenty', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const { token } = await one.create({ data: { n: 0 } });
      const updates = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? one : two).update(token, ({ n }) => ({ n: Number(n) + 1 })),
      );
      await Promise.all(updates);
      assert.equal((await one.read(token)).session?.data['n'], 20);
    });

    test('a login during a logout everywhere is either ended and counted, or lives and is listed', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      for (let round = 0; round < 50; round += 1) {
        const user = `user-${round}`;
        const before = await Promise.all(Array.from({ length: 3 }, () => one.create({ user })));
        const logins = Array.from({ length: 5 }, () => two.create({ user }));
        const revoked = one.revokeAll(user);
        const after = await Promise.all([...logins, ...Array.from({ length: 5 }, () => one.create({ user }))]);
        const states = await Promise.all([...before, ...after].map(({ token }) => state(two, token)));
        assert.deepEqual(new Set(states.slice(0, 3)), new Set(['revoked']));
        assert.equal(states.filter((is) => is === 'revoked').length, await revoked);
        assert.equal((await one.list(user)).length, states.filter((is) => is === 'live').length);
        assert.equal(await two.revokeAll(user), 13 - (await revoked));
      }
    });

    test('H.19: of two concurrent rotations one wins, and only its token opens the session', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      for (let round = 0; round < 50; round += 1) {
        const user = round % 2 === 0 ? 'ada' : undefined;
        const { token } = await one.create({ user: 'bob', data: { n: 1 } });
        const logins = await Promise.all([one.rotate(token, { user }), two.rotate(token, { user })]);
        assert.equal(logins.filter((login) => login !== undefined).length, 1);
        assert.equal(await state(one, token), 'revoked');
      }
    });
  });
}
