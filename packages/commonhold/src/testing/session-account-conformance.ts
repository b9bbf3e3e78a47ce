import assert from 'node:assert/strict';
import type { SessionDevice } from '../session/session-device.js';
import type { SessionsOptions, TokenReuse } from '../session/session-options.js';
import type { IssuedSession, Sessions } from '../session/session.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

type Data = Record<string, unknown>;

async function open(engine: Engine, options: SessionsOptions = {}): Promise<Sessions<Data>> {
  return (await engine.open()).sessions<Data>('s', options);
}

async function state(sessions: Sessions<Data>, token: string): Promise<string> {
  return (await sessions.read(token)).reason ?? 'live';
}

async function states(sessions: Sessions<Data>, logins: readonly IssuedSession<Data>[]): Promise<string[]> {
  return Promise.all(logins.map(({ token }) => state(sessions, token)));
}

/** The login that must have succeeded. */
function held(issued: IssuedSession<Data> | undefined): IssuedSession<Data> {
  assert.ok(issued !== undefined);
  return issued;
}

/** What every session twin must do for the account of a user: devices, how many sessions, and new tokens. */
export function sessionAccountConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'sessions of an account', (test) => {
    test('S8: a list of devices shows what each login said of itself, and which one asks', async (engine) => {
      const sessions = await open(engine);
      const phone = { name: 'Phone', userAgent: 'Mozilla/5.0 \u{1F339} "é"', address: '2001:db8::1' };
      const first = await sessions.create({ user: 'ada', device: phone });
      await engine.advance(20_000);
      const anonymous = await sessions.create({ device: { name: 'nobody yet' } });
      const second = held(await sessions.rotate(anonymous.token, { user: 'ada', device: { address: '192.0.2.1' } }));
      await engine.advance(20_000);
      const third = await sessions.create({ user: 'ada' });
      const list = await (await open(engine)).list('ada', { current: second.token });
      assert.deepEqual(
        list.map(({ id, device, current }) => [id, device, current]),
        [
          [third.session.id, undefined, false],
          [second.session.id, { address: '192.0.2.1' }, true],
          [first.session.id, phone, false],
        ],
      );
      assert.ok(list.every((one) => one.createdAtMs <= one.lastActivityAtMs && one.user === 'ada'));
      assert.ok((await sessions.list('ada', { current: 'none' })).every(({ current }) => !current));
      assert.deepEqual((await sessions.read(first.token)).session?.device, phone);
    });

    test('a device stays with its login, and is another with another user', async (engine) => {
      const sessions = await open(engine);
      const login = await sessions.create({ user: 'ada', device: { name: 'Desk' } });
      const renewed = held(await sessions.renew(login.token));
      const again = held(await sessions.rotate(renewed.token, { user: 'ada' }));
      assert.deepEqual(again.session.device, { name: 'Desk' });
      const moved = held(await sessions.rotate(again.token, { device: { name: 'Lap' } }));
      assert.deepEqual(moved.session.device, { name: 'Lap' });
      assert.equal(held(await sessions.rotate(moved.token, { user: 'bob' })).session.device, undefined);
    });

    test('what is known of a device is cut where it is long, and refused where it is no text', async (engine) => {
      const sessions = await open(engine);
      const { session } = await sessions.create({ user: 'ada', device: { userAgent: `${'a'.repeat(255)}\u{1F339}` } });
      assert.equal(session.device?.userAgent, `${'a'.repeat(255)}\ufffd`);
      assert.equal((await sessions.create({ user: 'ada', device: {} })).session.device, undefined);
      for (const bad of [{ name: 7 }, { agent: 'x' }, 'text', null] as unknown as SessionDevice[]) {
        await assert.rejects(sessions.create({ user: 'ada', device: bad }), { code: 'InvalidArgument' });
      }
      await assert.rejects(sessions.create({ user: 'ada', usr: 1 } as object), { code: 'InvalidArgument' });
      assert.equal((await sessions.list('ada')).length, 2);
    });

    for (const prefix of [undefined, '{documented}'] as const) {
      const where = prefix === undefined ? '' : ', in one slot';
      test(`a login too many is refused where that was asked for, and costs nobody anything${where}`, async (engine) => {
        const state_ = await engine.open();
        const options = {
          maxPerUser: 2,
          whenFull: 'refuse',
          ...(prefix && { prefix: `${prefix}${state_.namespace}` }),
        } as const;
        const sessions = state_.sessions<Data>('s', options);
        const logins = [await sessions.create({ user: 'ada' }), await sessions.create({ user: 'ada' })];
        const visitor = await sessions.create({ data: { cart: ['rose'] } });
        await assert.rejects(sessions.create({ user: 'ada' }), { code: 'SessionLimit' });
        await assert.rejects(sessions.rotate(visitor.token, { user: 'ada', data: { n: 1 } }), { code: 'SessionLimit' });
        assert.deepEqual((await sessions.read(visitor.token)).session?.data, { cart: ['rose'] });
        assert.deepEqual(await states(sessions, logins), ['live', 'live']);
        // Who is in may have a new token, and prove who they are.
        const [first, second] = logins;
        const again = held(await sessions.rotate(first?.token ?? '', { user: 'ada' }));
        const renewed = held(await sessions.renew(again.token));
        await sessions.revoke(second?.token ?? '');
        const login = held(await sessions.rotate(visitor.token, { user: 'ada', data: { n: 1 } }));
        assert.deepEqual((await sessions.read(login.token)).session?.data, { cart: ['rose'], n: 1 });
        assert.equal(await state(sessions, visitor.token), 'revoked');
        assert.deepEqual(await states(sessions, [renewed, login]), ['live', 'live']);
        assert.equal((await sessions.list('ada')).length, 2);
      });
    }

    test('sessions that expired leave room for others', async (engine) => {
      const sessions = await open(engine, { maxPerUser: 2, whenFull: 'refuse', idle: '10s' });
      await sessions.create({ user: 'ada' });
      await engine.advance(6_000);
      await sessions.create({ user: 'ada' });
      await assert.rejects(sessions.create({ user: 'ada' }), { code: 'SessionLimit' });
      await engine.advance(6_000);
      await sessions.create({ user: 'ada' });
      await assert.rejects(sessions.create({ user: 'ada' }), { code: 'SessionLimit' });
      assert.equal(await sessions.revokeAll('ada'), 2);
    });

    test('S8: however many log in at once, in two processes, no more than allowed are in', async (engine) => {
      for (const whenFull of ['evict', 'refuse'] as const) {
        const options = { maxPerUser: 3, whenFull };
        const both = [await open(engine, options), await open(engine, options)];
        const user = `ada-${whenFull}`;
        const tries = await Promise.allSettled(
          Array.from({ length: 20 }, async (_, index) => (both[index % 2] as Sessions<Data>).create({ user })),
        );
        const logins = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
        assert.equal(logins.length, whenFull === 'evict' ? 20 : 3);
        const [sessions] = both as [Sessions<Data>];
        assert.equal((await states(sessions, logins)).filter((is) => is === 'live').length, 3);
        assert.equal((await sessions.list(user)).length, 3);
      }
    });

    test('a user is fresh for a time after proving who they are, and a new token alone is no proof', async (engine) => {
      const [sessions, other] = [await open(engine), await open(engine)];
      const login = await sessions.create({ user: 'ada' });
      assert.ok(sessions.isFresh(login.session, '10m'));
      await engine.advance(9 * 60_000);
      const read = (await other.read(login.token)).session ?? login.session;
      assert.ok(other.isFresh(read, '10m'));
      await engine.advance(2 * 60_000);
      assert.ok(!other.isFresh(read, '10m') && other.isFresh(read, '1h'));
      const rotated = held(await sessions.rotate(login.token, { data: { n: 1 } }));
      const renewed = held(await sessions.renew(rotated.token));
      for (const { session } of [rotated, renewed]) {
        assert.ok(!sessions.isFresh(session, '10m'));
        assert.equal(session.authenticatedAtMs, login.session.createdAtMs);
      }
      const proven = held(await sessions.rotate(renewed.token, { user: 'ada' }));
      assert.ok(sessions.isFresh(proven.session, '1m'));
      assert.equal(proven.session.createdAtMs, login.session.createdAtMs);
      const { session } = await other.read(proven.token);
      assert.equal(session?.authenticatedAtMs, proven.session.authenticatedAtMs);
      assert.equal((await other.list('ada'))[0]?.authenticatedAtMs, proven.session.authenticatedAtMs);
      const anonymous = await sessions.create();
      assert.ok(!sessions.isFresh(anonymous.session, '1h'));
      await engine.advance(60_000);
      const known = held(await sessions.rotate(anonymous.token, { user: 'ada' }));
      assert.ok(sessions.isFresh(known.session, '30s'));
      assert.throws(() => sessions.isFresh(known.session, 0), { code: 'InvalidArgument' });
    });

    test('the old token of a renewed session still opens it for reading, until the grace is over', async (engine) => {
      const reused: TokenReuse[] = [];
      const options = { grace: '10s', onReuse: (reuse: TokenReuse) => void reused.push(reuse) } as const;
      const [sessions, other] = [await open(engine, options), await open(engine, options)];
      const old = await sessions.create({ user: 'ada', data: { n: 1 } });
      await other.read(old.token);
      const renewed = held(await sessions.renew(old.token));
      assert.deepEqual([renewed.session.user, renewed.session.data], ['ada', { n: 1 }]);
      assert.equal(renewed.session.createdAtMs, old.session.createdAtMs);
      await sessions.set(renewed.token, { n: 2 });
      for (const from of [sessions, other, await open(engine, { ...options, remember: '1h' })]) {
        const { session } = await from.read(old.token);
        assert.deepEqual([session?.id, session?.data, session?.user], [renewed.session.id, { n: 2 }, 'ada']);
        assert.equal(await from.set(old.token, { n: 3 }), undefined);
        assert.equal(await from.update(old.token, () => ({ n: 3 })), undefined);
        assert.equal(await from.rotate(old.token, { user: 'ada' }), undefined);
        assert.equal(await from.rotate(old.token, { user: 'eve' }), undefined);
        assert.equal(await from.renew(old.token), undefined);
      }
      await engine.advance(11_000);
      assert.deepEqual(reused, []);
      assert.equal(await state(other, old.token), 'revoked');
      assert.equal(await state(sessions, old.token), 'revoked');
      assert.deepEqual(reused, [{ user: 'ada', id: renewed.session.id }]);
      assert.deepEqual((await sessions.read(renewed.token)).session?.data, { n: 2 });
      assert.equal((await sessions.list('ada')).length, 1);
    });

    test('no token of a session that was revoked opens it, grace or not', async (engine) => {
      const [sessions, other] = [await open(engine), await open(engine)];
      const ends: ((from: Sessions<Data>, old: string, renewed: IssuedSession<Data>) => Promise<unknown>)[] = [
        (from, _old, { token }) => from.revoke(token),
        (from, old) => from.revoke(old),
        (from, _old, { session }) => from.revokeById('ada', session.id),
        (from) => from.revokeAll('ada'),
        (from, _old, { token }) => from.rotate(token, { user: 'ada' }).then((login) => from.revoke(login?.token ?? '')),
        (from, _old, { token }) => from.rotate(token, { user: 'bob' }).then((login) => from.revoke(login?.token ?? '')),
      ];
      for (const end of ends) {
        const old = await sessions.create({ user: 'ada' });
        const renewed = held(await sessions.renew(old.token));
        assert.equal(await state(other, old.token), 'live');
        assert.ok(await end(other, old.token, renewed));
        for (const from of [sessions, other]) {
          assert.deepEqual(await states(from, [old, renewed]), ['revoked', 'revoked']);
        }
        assert.deepEqual(await sessions.list('ada'), []);
      }
    });

    test('a login leaves no grace to the token from before, nor to one before that', async (engine) => {
      const sessions = await open(engine);
      for (const user of ['ada', 'bob']) {
        const first = await sessions.create({ user: 'ada' });
        const second = held(await sessions.renew(first.token));
        const login = held(await sessions.rotate(second.token, { user }));
        assert.deepEqual(await states(sessions, [first, second, login]), ['revoked', 'revoked', 'live']);
      }
    });

    test('of a session that is renewed again and again every token opens it that is in its grace', async (engine) => {
      const sessions = await open(engine, { grace: '20s' });
      const tokens = [await sessions.create({ user: 'ada' })];
      for (let round = 0; round < 4; round += 1) {
        tokens.push(held(await sessions.renew(tokens.at(-1)?.token ?? '')));
        await engine.advance(6_000);
      }
      assert.deepEqual(await states(sessions, tokens), ['revoked', 'live', 'live', 'live', 'live']);
      assert.equal(await sessions.revokeAll('ada', { except: tokens[2]?.token }), 0);
      assert.equal(await sessions.revoke(tokens[1]?.token ?? ''), true);
      assert.deepEqual(new Set(await states(sessions, tokens)), new Set(['revoked']));
    });

    test('of requests that renew at once one wins, and all of them go on reading', async (engine) => {
      const both = [await open(engine), await open(engine)] as const;
      for (let round = 0; round < 20; round += 1) {
        const old = await both[0].create({ user: round % 2 === 0 ? 'ada' : undefined, data: { round } });
        const requests = Array.from({ length: 6 }, async (_, index) => {
          const from = both[index % 2] as Sessions<Data>;
          const before = await state(from, old.token);
          const renewed = await from.renew(old.token);
          return { before, renewed, after: await state(from, renewed?.token ?? old.token) };
        });
        const done = await Promise.all(requests);
        assert.equal(done.filter(({ renewed }) => renewed !== undefined).length, 1);
        assert.ok(done.every(({ before, after }) => before === 'live' && after === 'live'));
      }
    });

    test('without grace the old token is dead at once', async (engine) => {
      const sessions = await open(engine, { grace: 0 });
      const old = await sessions.create({ user: 'ada' });
      const renewed = held(await sessions.renew(old.token));
      assert.deepEqual(await states(sessions, [old, renewed]), ['revoked', 'live']);
      await sessions.revoke(renewed.token);
      assert.equal(await sessions.renew(renewed.token), undefined);
      assert.equal(await sessions.renew('0'.repeat(64)), undefined);
    });

    test('options that are none are refused', async (engine) => {
      const opened = await engine.open();
      const wrong = [
        { grace: '6m' },
        { grace: -1 },
        { whenFull: 'drop' },
        { onReuse: 7 },
        { maxPerUser: 0 },
        { max: 1 },
      ];
      for (const options of wrong) {
        assert.throws(() => opened.sessions('s', options as SessionsOptions), { code: 'InvalidArgument' });
      }
      const sessions = opened.sessions('s');
      await assert.rejects(sessions.list('ada', { curent: '' } as object), { code: 'InvalidArgument' });
      await assert.rejects(sessions.revokeAll('ada', { exept: '' } as object), { code: 'InvalidArgument' });
    });
  });
}
