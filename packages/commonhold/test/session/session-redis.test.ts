import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodePart } from '../../src/keys.js';
import type { Log } from '../../src/log.js';
import type { SessionsOptions } from '../../src/session/session-options.js';
import type { Sessions } from '../../src/session/session.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { createShiftedClock } from '../../src/testing/shifted-clock.js';
import { pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

type Data = Record<string, unknown>;

const sha256 = (text: string, encoding: 'hex' | 'base64url'): string =>
  createHash('sha256').update(text).digest(encoding);

describe('sessions on a real server', () => {
  const server = useServer();
  const clustered = useServer({ cluster: true });
  let engine: Engine;
  let namespace: string;
  let warnings: string[];
  beforeEach(async () => {
    engine = await redisEngine(server()).start();
    ({ namespace } = await engine.open());
    warnings = [];
  });
  afterEach(() => engine.close());

  const log: Log = {
    info: () => undefined,
    warn: (fields, message) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    error: () => undefined,
  };
  const open = async (options: SessionsOptions = {}): Promise<Sessions<Data>> =>
    (await engine.open({ log })).sessions<Data>('s', options);
  const redis = (...command: (string | Buffer)[]): Promise<unknown> => server().command(...command);
  const keysOf = async (pattern: string): Promise<string[]> => {
    const found: string[] = [];
    let cursor = '0';
    do {
      const [next, keys] = (await redis('SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000')) as [string, string[]];
      found.push(...keys);
      cursor = next;
    } while (cursor !== '0');
    // What the connection keeps for itself.
    return found.filter((key) => !key.startsWith(`${namespace}:epoch:`)).toSorted();
  };
  const keyOf = (token: string): string =>
    `${namespace}:session:{s:${token.slice(0, 4)}}:${sha256(token, 'base64url')}`;
  const hashOf = async (key: string): Promise<Record<string, string>> => {
    const flat = (await redis('HGETALL', key)) as string[];
    return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : [])));
  };

  it('keeps the documented keys and fields', async () => {
    const sessions = await open({ idle: '10m', absolute: '1h' });
    const { token, session } = await sessions.create({ user: 'ada-1', data: { email: 'a@example.org', n: 1 } });
    const bucket = sha256(`${namespace}\0s\0ada-1`, 'hex').slice(0, 4);
    expect(token.slice(0, 4)).toBe(bucket);
    const index = `${namespace}:session:{s:${bucket}}:u:ada-1`;
    expect(await keysOf(`${namespace}:*`)).toEqual([keyOf(token), index].toSorted());
    const created = session.createdAtMs;
    expect(await hashOf(keyOf(token))).toEqual({
      v: '1',
      u: 'ada-1',
      c: `${created}`,
      l: `${created}`,
      a: `${created + 3_600_000}`,
      s: String('email"a@example.org"n1'.length),
      'd.email': '"a@example.org"',
      'd.n': '1',
    });
    expect(await redis('ZRANGE', index, '0', '-1', 'WITHSCORES')).toEqual([session.id, `${created + 600_000}`]);
    expect(Math.abs(Number(await redis('PTTL', keyOf(token))) - 600_000)).toBeLessThan(1_000);
    expect(Number(await redis('PTTL', index))).toBeGreaterThan(3_599_000);
    await sessions.revoke(token);
    expect(await hashOf(keyOf(token))).toEqual({ x: 'revoked' });
    expect(await keysOf(`${namespace}:*`)).toEqual([keyOf(token)]);
    expect(Number(await redis('PTTL', keyOf(token)))).toBeGreaterThan(599_000);
  });

  it('keeps the documented fields of devices, of proofs, and of tokens from before a renewal', async () => {
    const sessions = await open({ idle: '10m', grace: '20s', tombstone: '1m' });
    const login = await sessions.create({ user: 'ada', device: { name: 'Desk', address: undefined } });
    expect(await hashOf(keyOf(login.token))).toMatchObject({ e: '{"name":"Desk"}' });
    const proven = await sessions.rotate(login.token, { user: 'ada' });
    const { t, c, e } = await hashOf(keyOf(proven?.token ?? ''));
    expect([t, c, e]).toEqual([
      `${proven?.session.authenticatedAtMs}`,
      `${login.session.createdAtMs}`,
      '{"name":"Desk"}',
    ]);
    const renewed = await sessions.renew(proven?.token ?? '');
    const old = await hashOf(keyOf(proven?.token ?? ''));
    expect(old).toEqual({ x: 'renewed', n: renewed?.session.id, g: expect.stringMatching(/^\d{13}$/), u: 'ada' });
    expect(Number(old['g']) - (renewed?.session.lastActivityAtMs ?? 0)).toBe(20_000);
    expect(Math.abs(Number(await redis('PTTL', keyOf(proven?.token ?? ''))) - 60_000)).toBeLessThan(1_000);
  });

  it('counts what is no device as none, and follows no renewals in a circle', async () => {
    const sessions = await open();
    const { token, session } = await sessions.create({ user: 'ada' });
    for (const text of ['', '{', '7', 'null', '[]', '{"name":7}', '{"__proto__":{"name":"x"}}']) {
      await redis('HSET', keyOf(token), 'e', text);
      const { device } = (await sessions.read(token)).session ?? {};
      expect(device?.name, text).toBeUndefined();
    }
    const key = keyOf(token);
    await redis('DEL', key);
    await redis('HSET', key, 'x', 'renewed', 'n', session.id, 'g', '9'.repeat(15));
    // Without an end it would be kept for a millisecond.
    await redis('PEXPIRE', key, '60000');
    expect(await sessions.read(token)).toEqual({ session: undefined, reason: 'revoked' });
    expect(await hashOf(key)).toEqual({ x: 'revoked' });
  });

  it('keeps a documented prefix verbatim', async () => {
    const prefix = `${namespace}:ocr:session`;
    const sessions = await open({ prefix });
    const { token } = await sessions.create({ user: 'user:7' });
    expect(await keysOf(`${namespace}:*`)).toEqual(
      [`${prefix}:${sha256(token, 'hex')}`, `${prefix}:u:user%3A7`].toSorted(),
    );
  });

  it('refuses a prefix without a tag on a clustered server, saying what to write', async () => {
    const other = await redisEngine(clustered()).start();
    const state = await other.open();
    const refused = state.sessions('s', { prefix: 'ocr:session' }).create();
    await expect(refused).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining("'{ocr:session}'"),
    });
    await state.sessions('s', { prefix: '{ocr:session}' }).create({ user: 'ada' });
    await other.close();
  });

  it('notes by how much a key outlives its session, and forgets it when it no longer does', async () => {
    const [remembering, plain] = [await open({ remember: '1h' }), await open()];
    const { token } = await remembering.create({ data: { n: 1 } });
    expect((await hashOf(keyOf(token)))['r']).toBe('3600000');
    expect(Number(await redis('PTTL', keyOf(token)))).toBeGreaterThan(5_399_000);
    await plain.read(token);
    expect(await hashOf(keyOf(token))).not.toHaveProperty('r');
    expect(Number(await redis('PTTL', keyOf(token)))).toBeLessThanOrEqual(1_800_000);
    const renewed = await remembering.rotate(token);
    expect((await hashOf(keyOf(renewed?.token ?? '')))['r']).toBe('3600000');
    expect((await plain.rotate(renewed?.token ?? ''))?.session.data).toEqual({ n: 1 });
  });

  it('drops what an expired session held as soon as it is found expired', async () => {
    const sessions = await open({ idle: '1m', remember: '1h' });
    const { token } = await sessions.create({ user: 'ada', data: { secret: 1 } });
    await engine.advance(90_000);
    expect(await sessions.list('ada')).toEqual([]);
    expect(await keysOf(`${namespace}:*`)).toEqual([keyOf(token)]);
    expect((await sessions.read(token)).reason).toBe('idle');
    expect(await hashOf(keyOf(token))).toEqual({ x: 'idle' });
    expect(Math.abs(Number(await redis('PTTL', keyOf(token))) - 3_570_000)).toBeLessThan(2_000);
  });

  it('never stores a token, whole or in a key, field or value', async () => {
    const sessions = await open({ remember: '1h' });
    const tokens: string[] = [];
    const keep = (issued: { token: string } | undefined): string => {
      tokens.push(issued?.token ?? '');
      return issued?.token ?? '';
    };
    for (let round = 0; round < 20; round += 1) {
      const token = keep(await sessions.create({ data: { round } }));
      await sessions.set(token, { a: 1 });
      const login = keep(await sessions.rotate(token, { user: `user-${round % 3}` }));
      await sessions.update(login, () => ({ b: 2 }));
      const renewed = keep(await sessions.rotate(login));
      await sessions.read(renewed);
      if (round % 4 === 0) await sessions.revoke(renewed);
    }
    await sessions.revokeAll('user-1', { except: tokens.at(-1) });
    const keys = await keysOf('*');
    const dump: unknown[] = [keys];
    for (const key of keys) {
      const kind = await redis('TYPE', key);
      dump.push(kind === 'hash' ? await redis('HGETALL', key) : await redis('ZRANGE', key, '0', '-1', 'WITHSCORES'));
    }
    const text = JSON.stringify(dump);
    expect(tokens).toHaveLength(60);
    expect(keys.length).toBeGreaterThan(40);
    expect(tokens.filter((token) => text.includes(token) || text.includes(token.slice(4)))).toEqual([]);
    expect(text).toContain(sha256(tokens[2] ?? '', 'base64url'));
  });

  it('S4.12, S4.17: keeps no key without an end, whatever is done', async () => {
    for (const options of [
      { idle: '5s', absolute: '9s' },
      { idle: '5s', remember: '10s', maxPerUser: 2 },
    ] as const) {
      const sessions = await open(options);
      const logins = await Promise.all(
        Array.from({ length: 6 }, (_, n) => sessions.create(n < 4 ? { user: 'ada' } : {})),
      );
      for (const { token } of logins) {
        await sessions.set(token, { a: 1 });
        await engine.advance(500);
        await sessions.read(token);
        await sessions.rotate(token, { user: 'bob' });
      }
      await sessions.list('ada');
      await sessions.revokeAll('bob', { except: logins[0]?.token });
      const keys = await keysOf(`${namespace}:*`);
      expect(keys.length).toBeGreaterThan(4);
      for (const key of keys) expect(Number(await redis('PTTL', key)), key).toBeGreaterThan(0);
    }
  });

  it('names an index in scripts as keys.ts does', async () => {
    const sessions = await open();
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
    const users = [...ascii, ascii.join(''), 'é', '€', '😀', '%25', '\u0080', '\u00ff', 'x'.repeat(512)];
    for (const user of users) {
      const { token } = await sessions.create({ user });
      const index = `${namespace}:session:{s:${token.slice(0, 4)}}:u:${encodePart(user)}`;
      expect(await redis('ZCARD', index), JSON.stringify(user)).toBe(1);
      await sessions.revoke(token);
      expect(await redis('EXISTS', index), JSON.stringify(user)).toBe(0);
    }
  });

  it('does not bring back a session whose native expiry passes between read and write', async () => {
    const sessions = await open();
    const tokens: string[] = [];
    for (let round = 0; round < 200; round += 1) {
      const { token } = await sessions.create({ user: 'ada', data: { n: 1 } });
      tokens.push(token);
      expect((await sessions.read(token)).reason).toBeUndefined();
      await redis('PEXPIRE', keyOf(token), String(1 + (round % 3)));
      await Promise.all([sessions.set(token, { n: 2 }), sessions.update(token, () => ({ n: 3 }))]);
      if (round % 2 === 0) await sessions.rotate(token);
      await sessions.set(token, { n: 4 });
    }
    await pause(20);
    // A rotation that was in time leaves its tombstone.
    for (const token of tokens) expect([{}, { x: 'revoked' }]).toContainEqual(await hashOf(keyOf(token)));
    expect(
      (await sessions.list('ada')).every(({ id }) => tokens.every((token) => sha256(token, 'base64url') !== id)),
    ).toBe(true);
    for (const key of await keysOf(`${namespace}:*`)) expect(Number(await redis('PTTL', key))).toBeGreaterThan(0);
  });

  it('goes by the clock of the server alone', async () => {
    const ahead = createShiftedClock();
    ahead.advance(3_600_000);
    const options = { idle: '1m', absolute: '5m', remember: '1m' } as const;
    const [here, there] = [await open(options), (await engine.open({ clock: ahead })).sessions<Data>('s', options)];
    const { token, session } = await here.create({ user: 'ada' });
    expect((await there.read(token)).session?.createdAtMs).toBe(session.createdAtMs);
    expect(await there.set(token, { n: 1 })).toBe(2);
    const other = await there.create({ user: 'ada' });
    expect(Math.abs(other.session.expiresAtMs - session.expiresAtMs)).toBeLessThan(2_000);
    expect((await here.read(other.token)).reason).toBeUndefined();
    expect(await here.list('ada')).toHaveLength(2);
  });

  const damages: Record<string, (key: string) => Promise<unknown>> = {
    'a list in its place': async (key) => (await redis('DEL', key), redis('LPUSH', key, 'x')),
    'a text in its place': (key) => redis('SET', key, 'x'),
    'no last activity': (key) => redis('HDEL', key, 'l'),
    'no absolute end': (key) => redis('HDEL', key, 'a'),
    'no version': (key) => redis('HDEL', key, 'v'),
    'no size': (key) => redis('HDEL', key, 's'),
    'a version that is no number': (key) => redis('HSET', key, 'v', 'x'),
    'an absolute end beyond all numbers': (key) => redis('HSET', key, 'a', '9'.repeat(30)),
    'infinity as its last activity': (key) => redis('HSET', key, 'l', 'inf'),
    'an activity below zero': (key) => redis('HSET', key, 'l', '-1'),
    'fields and nothing else': async (key) => (await redis('DEL', key), redis('HSET', key, 'd.role', '"admin"')),
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(`counts a session with ${name} as absent, says so, and leaves the others alone`, async () => {
      for (const options of [{}, { remember: '1h' }] as const) {
        const [sessions, other] = [await open(options), await open(options)];
        const [bad, good] = [await sessions.create({ user: 'ada' }), await sessions.create({ user: 'ada' })];
        await damage(keyOf(bad.token));
        for (const reader of [sessions, other]) {
          warnings = [];
          expect(await reader.read(bad.token)).toEqual({ session: undefined, reason: 'absent' });
          expect(warnings).toHaveLength(1);
          expect(warnings[0]).not.toContain(bad.token);
        }
        expect(await sessions.update(bad.token, () => ({ a: 1 }))).toBeUndefined();
        expect(await sessions.rotate(bad.token)).toBeUndefined();
        expect(await sessions.rotate(bad.token, { user: 'bob' })).toBeUndefined();
        await sessions.set(bad.token, { a: 1 });
        expect((await sessions.read(bad.token)).session).toBeUndefined();
        expect((await sessions.list('ada')).map(({ id }) => id)).toEqual([good.session.id]);
        expect((await sessions.read(good.token)).session?.user).toBe('ada');
        expect(await sessions.revoke(bad.token)).toBe(false);
        expect((await sessions.read(bad.token)).session).toBeUndefined();
        expect(await sessions.revokeAll('ada')).toBeGreaterThanOrEqual(1);
        expect((await sessions.read(good.token)).reason).toBe('revoked');
      }
    });
  }

  it('counts a session with an unreadable field as absent, and can still revoke it', async () => {
    const values = [
      Buffer.from([7, 1, 2]),
      Buffer.from([]),
      Buffer.from('{"a":'),
      Buffer.from([3, 1, 2, 3]),
      Buffer.from([255, 254]),
    ];
    for (const value of values) {
      const sessions = await open();
      const { token } = await sessions.create({ user: 'ada', data: { ok: 1 } });
      await redis('HSET', keyOf(token), 'd.bad', value);
      warnings = [];
      expect(await sessions.read(token)).toEqual({ session: undefined, reason: 'absent' });
      expect(await sessions.update(token, () => ({ a: 1 }))).toBeUndefined();
      expect(await sessions.list('ada')).toEqual([]);
      expect(warnings.length).toBeGreaterThanOrEqual(3);
      expect(await sessions.revoke(token)).toBe(true);
      expect((await sessions.read(token)).reason).toBe('revoked');
    }
  });

  it('lets no stored field become a prototype', async () => {
    const sessions = await open();
    const { token } = await sessions.create({ user: 'ada' });
    await redis('HSET', keyOf(token), 'd.__proto__', '{"role":"admin"}');
    expect(await sessions.read(token)).toEqual({ session: undefined, reason: 'absent' });
    expect(warnings).toHaveLength(1);
  });

  it('treats an unknown reason for its end as an end', async () => {
    const sessions = await open();
    const { token } = await sessions.create({ user: 'ada' });
    await redis('HSET', keyOf(token), 'x', 'moved');
    expect(await sessions.read(token)).toEqual({ session: undefined, reason: 'absent' });
    expect(await sessions.set(token, { a: 1 })).toBeUndefined();
    expect(await sessions.revoke(token)).toBe(false);
  });

  it('keeps what only a newer version knows through writes, touches and rotation', async () => {
    const [sessions, other] = [await open(), await open()];
    const { token } = await sessions.create({ user: 'ada' });
    await redis('HSET', keyOf(token), 'z', 'new');
    await sessions.set(token, { a: 1 });
    await other.read(token);
    const renewed = await sessions.rotate(token);
    expect(await hashOf(keyOf(renewed?.token ?? ''))).toMatchObject({ z: 'new', 'd.a': '1' });
  });

  it('refuses what needs a broken index, writes nothing half, and still logs out', async () => {
    const [sessions, other] = [await open(), await open()];
    const { token } = await sessions.create({ user: 'ada' });
    const anonymous = await sessions.create();
    const [index] = await keysOf(`${namespace}:*:u:ada`);
    await redis('SET', index ?? '', 'x');
    const before = await keysOf(`${namespace}:*`);
    await expect(sessions.create({ user: 'ada' })).rejects.toMatchObject({ code: 'CorruptState' });
    await expect(sessions.list('ada')).rejects.toMatchObject({ code: 'CorruptState' });
    await expect(sessions.revokeAll('ada')).rejects.toMatchObject({ code: 'CorruptState' });
    expect(await keysOf(`${namespace}:*`)).toEqual(before);
    expect(await other.read(token)).toEqual({ session: undefined, reason: 'absent' });
    expect(await sessions.rotate(token)).toBeUndefined();
    expect(await hashOf(keyOf(token))).toMatchObject({ v: '1', u: 'ada' });
    expect(await sessions.revoke(token)).toBe(true);
    expect((await sessions.read(anonymous.token)).reason).toBeUndefined();
  });

  it('puts a session back into an index that was lost, when it is used', async () => {
    const [sessions, other] = [await open(), await open()];
    const { token } = await sessions.create({ user: 'ada' });
    await redis('DEL', ...(await keysOf(`${namespace}:*:u:ada`)));
    await other.read(token);
    expect(await sessions.revokeAll('ada')).toBe(1);
  });

  it('shows no token in what it logs, rejects with or looks like', async () => {
    const sessions = await open();
    const { token } = await sessions.create({ user: 'ada' });
    const errors: unknown[] = [sessions, new Map([['sessions', sessions]])];
    const gather = async (work: Promise<unknown>): Promise<void> =>
      void errors.push(await work.catch((error: unknown) => error));
    await gather(sessions.set(token, { a: randomBytes(70_000) }));
    await gather(sessions.set(token, { '': 1 }));
    await redis('SET', keyOf(token), 'x');
    await gather(sessions.read(token));
    await gather(sessions.revokeById(token, token));
    const text = inspect([errors, warnings], { depth: 20, showHidden: true });
    expect(text).toContain('ValueTooLarge');
    expect(text).not.toContain(token);
    expect(text).not.toContain(token.slice(4));
  });
});
