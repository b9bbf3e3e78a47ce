import assert from 'node:assert/strict';
import type { SessionsOptions } from '../session/session-options.js';
import type { IssuedSession, Sessions, WatchedSession } from '../session/session.js';
import type { Engine, EngineKind } from './engine.js';
import { describeSuite, type TestRunner } from './suite.js';
import { eventually, pause } from './waiting.js';

type Data = Record<string, unknown>;

async function open(engine: Engine, options: SessionsOptions = {}): Promise<Sessions<Data>> {
  return (await engine.open()).sessions<Data>('s', options);
}

/** A socket, which is open while its session lives. */
class Holder {
  readonly heard: string[] = [];
  watched: WatchedSession<Data> | undefined;

  async open(sessions: Sessions<Data>, token: string, signal?: AbortSignal): Promise<this> {
    this.watched = await sessions.watch(token, (reason) => void this.heard.push(reason), { signal });
    return this;
  }
}

function hold(sessions: Sessions<Data>, login: IssuedSession<Data> | undefined): Promise<Holder> {
  return new Holder().open(sessions, login?.token ?? '');
}

/** Each has heard what is expected of it, and then nothing more. */
async function hear(holders: readonly Holder[], expected: readonly string[]): Promise<void> {
  const all = (): string[] => holders.map(({ heard }) => heard.join(' '));
  await eventually(() => assert.deepEqual(all(), expected));
  await pause(20);
  assert.deepEqual(all(), expected);
}

/** What every session twin must do for who holds sessions open: tell of each end, whoever it was that ended it. */
export function sessionWatchConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'watching sessions', (test) => {
    test('S19: however a session is ended, in whatever process, its holders hear of it once, and no others', async (engine) => {
      const [here, there] = [await open(engine, { maxPerUser: 2 }), await open(engine, { maxPerUser: 2 })];
      const ends: Record<string, (login: IssuedSession<Data>, user: string) => Promise<unknown>> = {
        revoke: ({ token }) => there.revoke(token),
        revokeById: ({ session }, user) => there.revokeById(user, session.id),
        revokeAll: (_, user) => there.revokeAll(user),
        'a new token': ({ token }) => there.rotate(token),
        'a login again': ({ token }, user) => there.rotate(token, { user }),
        'a login of another': ({ token }) => there.rotate(token, { user: 'bob' }),
        'too many logins': async (_, user) => {
          await engine.advance(20_000);
          await there.create({ user });
          await there.create({ user });
        },
        'revoke, here': ({ token }) => here.revoke(token),
      };
      const neighbour = await hold(here, await here.create({ user: 'neighbour' }));
      for (const [name, end] of Object.entries(ends)) {
        const user = `user of ${name}`;
        const login = await there.create({ user });
        const holders = [await hold(here, login), await hold(here, login), await hold(there, login)];
        await engine.advance(1_000);
        const other = await hold(here, await here.create({ user: `not ${user}` }));
        await end(login, user);
        await hear([...holders, other], ['revoked', 'revoked', 'revoked', '']);
      }
      assert.deepEqual(neighbour.heard, []);
    });

    test('all but one of a user end, and the holder of that one hears nothing', async (engine) => {
      const sessions = await open(engine);
      const logins = await Promise.all(Array.from({ length: 5 }, () => sessions.create({ user: 'ada' })));
      const holders = await Promise.all(logins.map((login) => hold(sessions, login)));
      await (await open(engine)).revokeAll('ada', { except: logins[0]?.token });
      await hear(holders, ['', 'revoked', 'revoked', 'revoked', 'revoked']);
    });

    test('a renewal ends nothing: holders go with the session, under whichever token they came', async (engine) => {
      const [here, there] = [await open(engine), await open(engine)];
      const first = await here.create({ user: 'ada' });
      const holders = [await hold(here, first)];
      const second = await there.renew(first.token);
      holders.push(await hold(here, first), await hold(here, second));
      const third = await there.renew(second?.token ?? '');
      holders.push(await hold(here, third));
      await hear(holders, ['', '', '', '']);
      assert.deepEqual(new Set(holders.map(({ watched }) => watched?.session?.user)), new Set(['ada']));
      await there.revoke(third?.token ?? '');
      await hear(holders, ['revoked', 'revoked', 'revoked', 'revoked']);
    });

    test('what is over, unknown or malformed is not watched, and says why', async (engine) => {
      const sessions = await open(engine);
      const { token } = await sessions.create({ user: 'ada' });
      await sessions.revoke(token);
      for (const [bad, reason] of [
        [token, 'revoked'],
        ['0'.repeat(64), 'absent'],
        ['no token', 'absent'],
      ] as const) {
        const { watched, heard } = await new Holder().open(sessions, bad);
        assert.deepEqual([watched?.session, watched?.reason, heard], [undefined, reason, []]);
        watched?.close();
      }
    });

    test('who stops watching hears nothing, by close or by signal, and others go on', async (engine) => {
      const [here, there] = [await open(engine), await open(engine)];
      const login = await here.create({ user: 'ada' });
      const abort = new AbortController();
      const [closed, aborted] = [await hold(here, login), await new Holder().open(here, login.token, abort.signal)];
      const staying = await hold(here, login);
      closed.watched?.close();
      closed.watched?.close();
      abort.abort();
      await there.revoke(login.token);
      await hear([closed, aborted, staying], ['', '', 'revoked']);
      staying.watched?.close();
      const late = new Holder().open(here, login.token, abort.signal);
      await assert.rejects(late, { name: 'AbortError' });
    });

    test('one that ends while it begins to be watched is told of, one way or the other (200 times)', async (engine) => {
      const [here, there] = [await open(engine), await open(engine)];
      const race = async (index: number): Promise<void> => {
        const { token } = await there.create({ user: `user-${index}` });
        const end = index % 4 === 0 ? there.revokeAll(`user-${index}`) : there.revoke(token);
        const { watched, heard } = await new Holder().open(here, token);
        await end;
        if (watched?.session === undefined) assert.deepEqual([watched?.reason, heard], ['revoked', []]);
        else await eventually(() => assert.deepEqual(heard, ['revoked']));
      };
      for (let start = 0; start < 200; start += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, offset) => race(start + offset)));
      }
    });

    test('one that expires is told of soon after, and one that is used elsewhere is not', async (engine) => {
      for (const remember of [undefined, '1h'] as const) {
        const options = { idle: 900, ...(remember && { remember }) };
        const [here, there] = [await open(engine, options), await open(engine, options)];
        const [left, used] = [await here.create({ user: 'ada' }), await here.create({ user: 'ada' })];
        const holders = [await hold(here, left), await hold(here, used)];
        let wasUsed = true;
        await eventually(async () => {
          await engine.advance(100);
          // Where this machine stands still for so long, it expires as well.
          wasUsed &&= (await there.read(used.token)).session !== undefined;
          assert.deepEqual(holders[0]?.heard, [remember === undefined ? 'absent' : 'idle']);
        });
        if (wasUsed) assert.deepEqual(holders[1]?.heard, []);
      }
    });

    test('a holder that throws harms no other', async (engine) => {
      const sessions = await open(engine);
      const login = await sessions.create({ user: 'ada' });
      await sessions.watch(login.token, () => {
        throw new Error('no luck');
      });
      const holder = await hold(sessions, login);
      await sessions.revoke(login.token);
      await hear([holder], ['revoked']);
    });

    test('closing the state ends the watching, without a word', async (engine) => {
      const state = await engine.open();
      const sessions = state.sessions<Data>('s');
      const there = await open(engine);
      const login = await sessions.create({ user: 'ada' });
      const holder = await hold(sessions, login);
      await state.close();
      await there.revoke(login.token);
      await hear([holder], ['']);
      await assert.rejects(hold(sessions, login), { code: 'Closed' });
    });
  });
}
