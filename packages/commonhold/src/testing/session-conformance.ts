import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { SessionsOptions } from '../session/session-options.js';
import type { Sessions } from '../session/session.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';

type Data = Record<string, unknown>;

/** Sessions called `s`, as a process of its own would open them. */
async function open(engine: Engine, options: SessionsOptions = {}, name = 's'): Promise<Sessions<Data>> {
  return (await engine.open()).sessions<Data>(name, options);
}

/** Why `token` opens nothing; 'live' where it opens something. */
async function state(sessions: Sessions<Data>, token: string): Promise<string> {
  return (await sessions.read(token)).reason ?? 'live';
}

/** What every session twin must do: contents, names and operations. */
export function sessionConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'session', (test) => {
    test('a session comes back as it was made, in another process too', async (engine) => {
      const data = { email: 'a@example.org', roles: new Set(['admin']), none: null };
      const made = await (await open(engine, { idle: '10m' })).create({ user: 'ada', data });
      const { session } = await (await open(engine, { idle: '10m' })).read(made.token);
      assert.deepEqual(
        { ...session, lastActivityAtMs: 0, expiresAtMs: 0 },
        { ...made.session, lastActivityAtMs: 0, expiresAtMs: 0 },
      );
      assert.deepEqual([session?.user, session?.data, session?.version], ['ada', data, 1]);
      assert.equal(made.session.expiresAtMs, made.session.createdAtMs + 600_000);
      assert.equal(made.session.lastActivityAtMs, made.session.createdAtMs);
    });

    test('a token is 64 hexadecimal digits, of which four follow from the user and 240 bits are chance', async (engine) => {
      const sessions = await open(engine);
      const made = await Promise.all(Array.from({ length: 200 }, () => sessions.create({ user: 'ada' })));
      const tokens = made.map(({ token }) => token);
      assert.ok(tokens.every((token) => /^[0-9a-f]{64}$/.test(token)));
      assert.equal(new Set(tokens.map((token) => token.slice(0, 4))).size, 1);
      assert.equal(new Set(tokens.map((token) => token.slice(4, 20))).size, 200);
      const nobodies = await Promise.all(Array.from({ length: 50 }, () => sessions.create()));
      assert.ok(new Set(nobodies.map(({ token }) => token.slice(0, 4))).size > 40);
      assert.ok(made.every(({ token, session }) => !token.includes(session.id) && !session.id.includes(token)));
    });

    test('unknown and malformed tokens open nothing, change nothing and throw nothing', async (engine) => {
      const sessions = await open(engine);
      const { token } = await sessions.create({ user: 'ada', data: { n: 1 } });
      const odd = [
        '',
        'x',
        token.slice(1),
        `${token}0`,
        token.toUpperCase(),
        `${token}\n`,
        '*'.repeat(64),
        'é'.repeat(64),
      ];
      const others = [undefined, null, 7, {}, [token]] as unknown as string[];
      for (const bad of [
        '0'.repeat(64),
        `${token.slice(0, 4)}${'0'.repeat(60)}`,
        ...odd.filter((t) => t !== token),
        ...others,
      ]) {
        assert.deepEqual(await sessions.read(bad), { session: undefined, reason: 'absent' });
        assert.equal(await sessions.set(bad, { n: 2 }), undefined);
        assert.equal(await sessions.update(bad, () => ({ n: 2 })), undefined);
        assert.equal(await sessions.rotate(bad, { user: 'eve' }), undefined);
        assert.equal(await sessions.revoke(bad), false);
        assert.equal(await sessions.revokeById('ada', bad), false);
      }
      assert.equal((await sessions.read(token)).session?.data['n'], 1);
      assert.deepEqual(await sessions.list('eve'), []);
    });

    test('H.22: null, false, zero, the empty text, bytes and what is large are values', async (engine) => {
      const sessions = await open(engine);
      const { token } = await sessions.create();
      const values = [
        null,
        false,
        0,
        '',
        Buffer.alloc(0),
        Buffer.from([0, 255, 10, 13]),
        [],
        {},
        'é'.repeat(20_000),
        1n,
      ];
      for (const value of values) {
        await sessions.set(token, { value });
        assert.deepEqual((await sessions.read(token)).session?.data['value'], value);
      }
    });

    test('what was read or written may be changed without changing what is stored', async (engine) => {
      const sessions = await open(engine);
      const bytes = Buffer.from([1]);
      const list = [1];
      const { token, session } = await sessions.create({ data: { bytes, list } });
      bytes[0] = 2;
      list.push(2);
      (session.data['list'] as number[]).push(3);
      const read = await sessions.read(token);
      ((read.session?.data ?? {})['bytes'] as Buffer)[0] = 3;
      assert.deepEqual((await sessions.read(token)).session?.data, { bytes: Buffer.from([1]), list: [1] });
    });

    test('set writes the fields it names, undefined removes, and the version counts the writes', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const { token } = await one.create({ data: { a: 1, b: 1, c: undefined } });
      assert.equal(await one.set(token, { a: 2 }), 2);
      assert.equal(await two.set(token, { b: undefined, d: 3, e: undefined }), 3);
      assert.equal(await one.set(token, {}), 4);
      const { session } = await two.read(token);
      assert.deepEqual([session?.data, session?.version], [{ a: 2, d: 3 }, 4]);
    });

    test('fields may be called anything but nothing, __proto__, half a character or 129 bytes', async (engine) => {
      const sessions = await open(engine);
      const names = ['v', 'u', 'x', 'l', 'a', 'c', 'd.v', 'constructor', ' ', '\0', '\n', '*', 'é'.repeat(64)];
      const data = Object.fromEntries(names.map((name, index) => [name, index]));
      const { token } = await sessions.create({ data });
      for (const name of ['', 'é'.repeat(64) + 'x', '\ud800', '__proto__']) {
        const bad = Object.fromEntries([[name, 1]]);
        await assert.rejects(sessions.create({ data: bad }), { code: 'InvalidArgument' });
        await assert.rejects(sessions.set(token, { ...data, ...bad, [name]: 1 }), { code: 'InvalidArgument' });
        await assert.rejects(
          sessions.update(token, () => bad),
          { code: 'InvalidArgument' },
        );
      }
      for (const bad of [null, 7, 'text'] as unknown as Data[]) {
        await assert.rejects(sessions.set(token, bad), { code: 'InvalidArgument' });
      }
      assert.deepEqual((await sessions.read(token)).session?.data, data);
    });

    test('more than 64 KiB in all is refused, changes nothing and ends nothing', async (engine) => {
      const sessions = await open(engine);
      const half = randomBytes(32_000);
      const { token } = await sessions.create({ data: { a: half, b: half } });
      const more = { c: randomBytes(2_000) };
      await assert.rejects(sessions.create({ data: { a: half, b: half, ...more } }), { code: 'ValueTooLarge' });
      await assert.rejects(sessions.set(token, more), { code: 'ValueTooLarge' });
      await assert.rejects(
        sessions.update(token, () => more),
        { code: 'ValueTooLarge' },
      );
      await assert.rejects(sessions.rotate(token, { data: more }), { code: 'ValueTooLarge' });
      await assert.rejects(sessions.rotate(token, { user: 'ada', data: more }), { code: 'ValueTooLarge' });
      const { session } = await sessions.read(token);
      assert.deepEqual([Object.keys(session?.data ?? {}).toSorted(), session?.version], [['a', 'b'], 1]);
      assert.equal(await sessions.set(token, { ...more, a: undefined }), 2);
      assert.ok(await sessions.rotate(token, { user: 'ada', data: { a: randomBytes(20_000) } }));
    });

    test('update writes what the change returns, and nothing for undefined or an error', async (engine) => {
      const sessions = await open(engine);
      const { token } = await sessions.create({ user: 'ada', data: { n: 1, gone: 1 } });
      const written = await sessions.update(token, ({ n }) => ({ n: Number(n) + 1, gone: undefined }));
      assert.deepEqual([written?.data, written?.version, written?.user], [{ n: 2 }, 2, 'ada']);
      assert.equal((await sessions.update(token, () => undefined))?.version, 2);
      const failing = sessions.update(token, () => {
        throw new Error('no luck');
      });
      await assert.rejects(failing, { message: 'no luck' });
      assert.deepEqual((await sessions.read(token)).session?.data, { n: 2 });
    });

    test('revoking says whether there was something to revoke', async (engine) => {
      const [one, two] = [await open(engine), await open(engine)];
      const { token } = await one.create({ user: 'ada', data: { n: 1 } });
      assert.equal(await two.revoke(token), true);
      assert.equal(await one.revoke(token), false);
      assert.deepEqual(await one.read(token), { session: undefined, reason: 'revoked' });
      assert.equal(await one.set(token, { n: 2 }), undefined);
      assert.equal(await one.update(token, () => ({ n: 2 })), undefined);
      assert.equal(await one.rotate(token), undefined);
      assert.deepEqual(await one.list('ada'), []);
    });

    test('list shows the live sessions of one user, the last used first, and no token', async (engine) => {
      const sessions = await open(engine);
      const made = [];
      for (const device of ['phone', 'tablet', 'desk']) {
        made.push(await sessions.create({ user: 'ada', data: { device } }));
        await engine.advance(20_000);
      }
      await sessions.create({ user: 'adalbert' });
      await sessions.create();
      await sessions.read(made[0]?.token ?? '');
      const list = await sessions.list('ada');
      assert.deepEqual(
        list.map(({ data }) => data['device']),
        ['phone', 'desk', 'tablet'],
      );
      assert.ok(made.every(({ token }) => !JSON.stringify(list).includes(token)));
      assert.deepEqual(await sessions.list('nobody'), []);
    });

    test('one session is revoked by its id, only by its own user', async (engine) => {
      const sessions = await open(engine);
      const made = await sessions.create({ user: 'ada' });
      const other = await sessions.create({ user: 'ada' });
      const { id } = made.session;
      assert.equal(await sessions.revokeById('eve', id), false);
      assert.equal(await sessions.revokeById('ada', `${id.slice(1)}x`), false);
      assert.equal(await state(sessions, made.token), 'live');
      assert.equal(await sessions.revokeById('ada', id), true);
      assert.equal(await sessions.revokeById('ada', id), false);
      assert.equal(await state(sessions, made.token), 'revoked');
      assert.deepEqual(
        (await sessions.list('ada')).map((session) => session.id),
        [other.session.id],
      );
    });

    test('all sessions of a user end at once, or all but one, and nobody else notices', async (engine) => {
      const sessions = await open(engine);
      const other = await open(engine, {}, 't');
      const mine = await Promise.all(Array.from({ length: 5 }, () => sessions.create({ user: 'ada' })));
      const spared = [
        [sessions, await sessions.create({ user: 'ada2' })],
        [sessions, await sessions.create()],
        [other, await other.create({ user: 'ada' })],
      ] as const;
      const [kept, ...rest] = mine.map(({ token }) => token);
      assert.equal(await sessions.revokeAll('ada', { except: kept }), 4);
      assert.deepEqual(await Promise.all(rest.map((token) => state(sessions, token))), Array(4).fill('revoked'));
      assert.equal(await state(sessions, kept ?? ''), 'live');
      assert.equal((await sessions.list('ada')).length, 1);
      assert.equal(await sessions.revokeAll('ada', { except: 'not a token' }), 1);
      assert.equal(await sessions.revokeAll('ada'), 0);
      for (const [from, { token }] of spared) assert.equal(await state(from, token), 'live');
    });

    test('a user has at most as many sessions as allowed: a login ends the one not used for longest', async (engine) => {
      const sessions = await open(engine, { maxPerUser: 3 });
      const tokens: string[] = [];
      const login = async (): Promise<void> => {
        tokens.push((await sessions.create({ user: 'ada' })).token);
        await engine.advance(20_000);
      };
      for (let n = 0; n < 3; n += 1) await login();
      await sessions.read(tokens[0] ?? '');
      await login();
      assert.deepEqual(await Promise.all(tokens.map((token) => state(sessions, token))), [
        'live',
        'revoked',
        'live',
        'live',
      ]);
      const anonymous = await sessions.create();
      const rotated = await sessions.rotate(anonymous.token, { user: 'ada' });
      assert.equal((await sessions.list('ada')).length, 3);
      const again = await sessions.rotate(rotated?.token ?? '');
      assert.deepEqual((await sessions.list('ada')).length, 3);
      assert.equal(await state(sessions, again?.token ?? ''), 'live');
    });

    test('a login gives a new token, keeps the fields and kills the old token at once', async (engine) => {
      const sessions = await open(engine);
      const { token } = await sessions.create({ data: { cart: [1], theme: 'dark' } });
      const login = await sessions.rotate(token, { user: 'ada', data: { role: 'admin', theme: undefined } });
      assert.ok(login !== undefined && login.token !== token);
      assert.deepEqual(
        [login.session.user, login.session.data, login.session.version],
        ['ada', { cart: [1], role: 'admin' }, 1],
      );
      assert.deepEqual((await sessions.read(login.token)).session?.data, { cart: [1], role: 'admin' });
      assert.equal(await state(sessions, token), 'revoked');
      assert.equal(await sessions.set(token, { cart: [] }), undefined);
      assert.equal(await sessions.rotate(token), undefined);
      assert.deepEqual(
        (await sessions.list('ada')).map(({ id }) => id),
        [login.session.id],
      );
      assert.equal(login.token.slice(0, 4), (await sessions.create({ user: 'ada' })).token.slice(0, 4));
    });

    test('rotation moves a session from user to user and leaves no trace in the old list', async (engine) => {
      const sessions = await open(engine);
      const { token } = await sessions.create({ user: 'ada', data: { n: 1 } });
      const renewed = await sessions.rotate(token, { data: { n: 2 } });
      assert.deepEqual([renewed?.session.user, renewed?.session.data], ['ada', { n: 2 }]);
      const moved = await sessions.rotate(renewed?.token ?? '', { user: 'bob' });
      assert.deepEqual([moved?.session.user, moved?.session.data], ['bob', { n: 2 }]);
      assert.equal((await sessions.list('ada')).length, 0);
      assert.equal((await sessions.list('bob')).length, 1);
      assert.equal(await sessions.revokeAll('ada'), 0);
      assert.equal(await state(sessions, moved?.token ?? ''), 'live');
    });

    test('H.15: names and users with structure, globs, spaces, unicode and great length stay apart', async (engine) => {
      const odd = [
        'a',
        'a:b',
        'u:a',
        'a}',
        '{a',
        '*',
        'a*',
        '?',
        '[a]',
        '%3A',
        '%',
        ' ',
        'ä',
        '\n',
        '\0',
        '-',
        '^',
        '\\',
        'x'.repeat(512),
      ];
      const tokens = new Map<string, string>();
      for (const name of odd) {
        const sessions = await open(engine, {}, name);
        tokens.set(name, (await sessions.create({ user: name })).token);
        assert.equal((await sessions.list(name)).length, 1);
        assert.deepEqual(await sessions.list('aa'), []);
      }
      const shared = await open(engine, {}, 'shared');
      for (const user of odd) await shared.create({ user });
      for (const user of odd) assert.equal(await shared.revokeAll(user), 1, JSON.stringify(user));
      for (const name of odd) assert.equal(await state(await open(engine, {}, name), tokens.get(name) ?? ''), 'live');
      assert.equal(await state(await open(engine, {}, 'a'), tokens.get('a*') ?? ''), 'absent');
    });

    test('namespaces do not see each other', async (engine) => {
      const first = await engine.open();
      const { token } = await first.sessions('s').create({ user: 'ada' });
      const other = (await engine.open({ namespace: `${first.namespace}x` })).sessions('s');
      assert.equal((await other.read(token)).reason, 'absent');
      assert.equal(await other.revokeAll('ada'), 0);
    });

    test('documented key names serve all the same, with a login in one step', async (engine) => {
      const { namespace } = await engine.open();
      const sessions = await open(engine, { prefix: `{${namespace}}:session`, maxPerUser: 2 });
      const { token } = await sessions.create({ data: { n: 1 } });
      const login = await sessions.rotate(token, { user: 'a-b:c' });
      assert.deepEqual((await sessions.read(login?.token ?? '')).session?.data, { n: 1 });
      assert.match(login?.session.id ?? '', /^[0-9a-f]{64}$/);
      const second = await sessions.create({ user: 'a-b:c' });
      assert.equal(await sessions.revokeById('other', second.session.id), false);
      assert.equal(await sessions.revokeById('a-b:c', second.session.id), true);
      assert.equal(await sessions.revokeAll('a-b:c'), 1);
      assert.equal(await state(sessions, login?.token ?? ''), 'revoked');
    });

    test('bad options, names and users are refused before anything is stored', async (engine) => {
      const opened = await engine.open();
      const bad: SessionsOptions[] = [{ idle: 0 }, { idle: -1 }, { absolute: Number.NaN }, { absolute: Infinity }];
      bad.push(
        { remember: 0 },
        { tombstone: '36501d' },
        { maxPerUser: 0 },
        { maxPerUser: 1.5 },
        { prefix: '' },
        { prefix: 'a b' },
      );
      for (const options of bad) assert.throws(() => opened.sessions('s', options), { code: 'InvalidArgument' });
      for (const name of ['', '\ud800']) assert.throws(() => opened.sessions(name), { code: 'InvalidArgument' });
      const sessions = opened.sessions('s');
      const { token } = await sessions.create();
      for (const user of ['', '\udc00', 'é'.repeat(257), 7 as unknown as string]) {
        await assert.rejects(sessions.create({ user }), { code: 'InvalidArgument' });
        await assert.rejects(sessions.rotate(token, { user }), { code: 'InvalidArgument' });
        await assert.rejects(sessions.list(user), { code: 'InvalidArgument' });
        await assert.rejects(sessions.revokeAll(user), { code: 'InvalidArgument' });
        await assert.rejects(sessions.revokeById(user, 'x'), { code: 'InvalidArgument' });
      }
      assert.equal((await sessions.read(token)).reason, undefined);
    });
  });
}
