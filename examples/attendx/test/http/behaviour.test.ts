import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { madeFace } from '../../src/faces/made-face.js';
import { attendx } from '../../src/index.js';
import { expectProblem } from '../contract.js';
import { ownRedis } from '../homes.js';
import { newUser, newVisitor, PASSWORD, type Running, type RunningOptions, startAttendx } from '../running.js';

async function start(options: RunningOptions = {}): Promise<Running> {
  const running = await startAttendx(options);
  onTestFinished(() => running.close());
  return running;
}

describe('sessions', () => {
  it('S1.9: have a Secure cookie behind TLS, as a trusted proxy tells it', async () => {
    const { bases } = await start({ variables: { TRUST_PROXY: '127.0.0.0/8' } });
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '192.0.2.1',
    };
    const body = JSON.stringify({ email: 'ada@example.org', password: PASSWORD, name: 'Ada' });
    await fetch(`${bases[0]}/users`, { method: 'POST', headers, body });
    const login = await fetch(`${bases[0]}/login`, { method: 'POST', headers, body });
    expect(login.headers.get('set-cookie')).toMatch(/HttpOnly/);
    expect(login.headers.get('set-cookie')).toMatch(/; Secure(?:;|$)/);
  });

  it('take as long to be refused for an unknown e-mail as for a known one, and as long as a right password', async () => {
    const running = await start();
    await newUser(running, 'ada@example.org');
    const time = async (email: string, password: string, status: number): Promise<number> => {
      const visitor = newVisitor(running);
      const startedAtMs = performance.now();
      expect((await visitor.post('/login', { email, password })).status).toBe(status);
      return performance.now() - startedAtMs;
    };
    const ratios: number[][] = [[], []];
    for (let round = 0; round < 5; round++) {
      const right = await time('ada@example.org', PASSWORD, 200);
      ratios[0]?.push((await time('ada@example.org', 'wrong', 401)) / right);
      ratios[1]?.push((await time('nobody@example.org', 'wrong', 401)) / right);
    }
    for (const times of ratios) {
      const median = times.toSorted((a, b) => a - b)[2] ?? 0;
      expect(median).toBeGreaterThan(0.6);
      expect(median).toBeLessThan(1.7);
    }
  }, 60_000);
});

describe('enrolling and attending', () => {
  it('need a session where the settings say so, and a refused try counts', async () => {
    const running = await start({ variables: { ATTENDX_REQUIRE_LOGIN: 'true' } });
    const face = await madeFace(1);
    const stranger = newVisitor(running);
    for (let attempt = 0; attempt < 5; attempt++)
      expectProblem(await stranger.enrol('Ada', face), 401, /Not logged in/);
    expectProblem(await stranger.enrol('Ada', face), 429, /At most 5/);
    expectProblem(await stranger.attend(face), 401, /Not logged in/);
    const { visitor } = await newUser(running, 'ada@example.org');
    expect((await visitor.enrol('Ada', face)).status).toBe(201);
    expect((await visitor.attend(face)).json['name']).toBe('Ada');
  });

  it('S1.8: counts a client behind a trusted proxy by its own address, IPv6 by its /64', async () => {
    const { bases } = await start({ variables: { TRUST_PROXY: '127.0.0.0/8' } });
    const left = async (address: string): Promise<string | null> => {
      const form = new FormData();
      const answer = await fetch(`${bases[0]}/api/enroll`, {
        method: 'POST',
        body: form,
        headers: { 'x-forwarded-for': address },
      });
      await answer.arrayBuffer();
      return answer.headers.get('ratelimit');
    };
    expect(await left('192.0.2.1')).toMatch(/r=4/);
    expect(await left('192.0.2.2')).toMatch(/r=4/);
    expect(await left('2001:db8:1:2::1')).toMatch(/r=4/);
    expect(await left('2001:db8:1:2:ffff::2')).toMatch(/r=3/);
  });

  it('S1.2: limits in memory when REDIS_URL is memory://', async () => {
    const visitor = newVisitor(await start({ variables: { REDIS_URL: 'memory://' } }));
    expect((await visitor.get('/api/cache/stats')).json['mode']).toBe('in-memory');
    for (let count = 0; count < 5; count++) await visitor.post('/api/enroll');
    expect((await visitor.post('/api/enroll')).status).toBe(429);
  });
});

describe('the embedding', () => {
  const home = ownRedis();

  it('S1.7: can be replaced, and is computed once for three servers that are asked at once', async () => {
    let computed = 0;
    const embed = async (image: Buffer): Promise<Float32Array> => {
      computed++;
      await sleep(100);
      return Float32Array.from([image.length, 1]);
    };
    const system = attendx({ embedding: { name: 'length', embed, threshold: 0.5 } });
    const running = await start({ system, variables: await home.variables(), servers: 3 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => newVisitor(running).enrol('Ada', Buffer.from('hello'))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(computed).toBe(1);
    expect(answers.filter(({ json }) => json['cached'] === false)).toHaveLength(1);
    expect((await newVisitor(running).attend(Buffer.from('hello'))).json['name']).toBe('Ada');
    expect(computed).toBe(1);
    // A new function does not read what the old one made, nor compare with it.
    const next = attendx({ embedding: { name: 'length-2', embed, threshold: 0.5 } });
    const newer = await start({ system: next, variables: { REDIS_URL: home.server.url } });
    expectProblem(await newVisitor(newer).attend(Buffer.from('hello')), 404, /Nobody/);
    expect(computed).toBe(2);
  });
});

describe('without Redis', () => {
  const home = ownRedis();

  it('S1.2: takes the database from the URL, and starts, refuses and recovers when Redis is away at first', async () => {
    const port = home.server.port;
    await home.server.kill();
    const running = await start({ variables: { REDIS_URL: `redis://127.0.0.1:${port}/3` } });
    const visitor = newVisitor(running);
    const page = await fetch(`${running.bases[0]}/`);
    expect(page.status).toBe(200);
    expectProblem(await visitor.enrol('Ada', await madeFace(2)), 503, /store/);
    expectProblem(await visitor.attend(await madeFace(2)), 503, /store/);
    expect((await visitor.get('/api/cache/stats')).json).toMatchObject({ mode: 'redis', connected: false, keys: null });
    await home.server.restart();
    await expect
      .poll(async () => (await visitor.enrol('Ada', await madeFace(2))).status, { timeout: 10_000 })
      .toBe(201);
    expect((await visitor.attend(await madeFace(2))).json['name']).toBe('Ada');
    expect(await home.server.command('INFO', 'keyspace')).toMatch(/db3:keys/);
  }, 30_000);

  it('S1.10: goes on recognising who is known when Redis goes away', async () => {
    const running = await start({ variables: await home.variables() });
    const visitor = newVisitor(running);
    await visitor.enrol('Ada', await madeFace(4));
    expect((await visitor.attend(await madeFace(4))).status).toBe(200);
    await home.server.kill();
    onTestFinished(() => home.server.restart());
    const seen = await visitor.attend(await madeFace(4, { noise: 10 }));
    expect(seen).toMatchObject({ status: 200, json: { name: 'Ada' } });
    expectProblem(await visitor.attend(Buffer.from('hello')), 415, /no image/);
    expectProblem(await visitor.post('/login', { email: 'a@b.c', password: 'x' }), 503, /store/);
  });
});
