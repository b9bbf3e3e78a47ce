import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeFace } from '../src/faces/made-face.js';
import { type Answer, imageForm } from '../src/replay/visitor.js';
import { newUser, newVisitor, PASSWORD, type Running } from './running.js';

/** Sees that an answer is a problem document of this status, whose detail says this. */
export function expectProblem(answer: Answer, status: number, detail: RegExp): void {
  expect(answer).toMatchObject({ status, json: { status, detail: expect.stringMatching(detail) as string } });
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(Object.keys(answer.json).slice(0, 4)).toEqual(['type', 'title', 'status', 'detail']);
}

/**
 * Declares the tests of what clients see. Requests are spread over the bases in turn, so that with several servers each
 * step meets another one. It may run against servers that hold other data.
 *
 * @param open called once, before the tests; the servers must let this machine's 127/8 addresses through as they are.
 */
export function contract(open: () => Promise<Running>): void {
  let running: Running;
  beforeAll(async () => {
    running = await open();
  }, 60_000);
  afterAll(() => running?.close());
  accountContract(() => running);
  enrolmentContract(() => running);
  attendanceContract(() => running);
  cacheContract(() => running);
}

const email = (): string => `${randomUUID()}@example.org`;
/** A face that no other test shows: the pictures are the same for the same number. */
const face = (): Promise<Buffer> => madeFace(100_000 + Math.floor(Math.random() * 2 ** 30));

function accountContract(running: () => Running): void {
  describe('accounts and sessions', () => {
    it('S1.1 S1.9: signs up, logs in with a cookie that scripts cannot read, says who one is, and logs out', async () => {
      const visitor = newVisitor(running());
      const address = email();
      const created = await visitor.post('/users', { email: address, password: PASSWORD, name: 'Ada' });
      expect(created).toMatchObject({
        status: 201,
        json: { user_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
      });
      expect(created.setCookie).toEqual([]);
      expectProblem(await visitor.get('/me'), 401, /Not logged in/);
      const login = await visitor.post('/login', { email: address.toUpperCase(), password: PASSWORD });
      expect(login.status).toBe(200);
      expect(login.setCookie).toHaveLength(1);
      expect(login.setCookie[0]).toMatch(/^session=\S{40,}; /);
      expect(login.setCookie[0]).toMatch(/; HttpOnly(?:;|$)/);
      expect(login.setCookie[0]).toMatch(/; SameSite=Lax(?:;|$)/);
      expect(login.setCookie[0]).not.toMatch(/Secure/);
      const me = await visitor.get('/me');
      expect(me).toMatchObject({ status: 200, json: { ...created.json, email: address, name: 'Ada' } });
      expect(JSON.stringify(me.json)).not.toContain('scrypt');
      const held = visitor.cookie;
      expect((await visitor.post('/logout')).json).toEqual({ revoked: 1 });
      visitor.takeCookie(held);
      expectProblem(await visitor.get('/me'), 401, /Not logged in/);
      expectProblem(await visitor.post('/logout'), 401, /Not logged in/);
    });

    it('S1.9: gives a new token at every login, and the one from before is dead', async () => {
      const { visitor } = await newUser(running(), email());
      const before = visitor.cookie;
      const { json } = await visitor.get('/me');
      await visitor.post('/login', { email: json['email'], password: PASSWORD });
      expect(visitor.cookie).not.toBe(before);
      const thief = newVisitor(running());
      thief.takeCookie(before);
      expectProblem(await thief.get('/me'), 401, /Not logged in/);
      expect((await visitor.get('/me')).status).toBe(200);
    });

    it('refuses a taken address in any case of letters, and lets one of many at once have it', async () => {
      const address = email();
      const tries = Array.from({ length: 4 }, (_, index) => {
        const spelling = index % 2 === 0 ? address : address.toUpperCase();
        return newVisitor(running()).post('/users', { email: spelling, password: PASSWORD, name: 'Ada' });
      });
      const statuses = (await Promise.all(tries)).map(({ status }) => status);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
      expect((await newVisitor(running()).post('/login', { email: address, password: PASSWORD })).status).toBe(200);
    });

    it('S1.8: lets ten logins a minute through for a pair of address and e-mail', async () => {
      const visitor = newVisitor(running());
      const attempt = (): Promise<Answer> => visitor.post('/login', { email: 'nobody@example.org', password: 'wrong' });
      const statuses = (await Promise.all(Array.from({ length: 11 }, attempt))).map(({ status }) => status);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
      const refused = await attempt();
      expectProblem(refused, 429, /At most 10 in 60 s/);
      expect(refused.headers['ratelimit']).toMatch(/^"login";r=0;t=\d+$/);
    }, 60_000);

    it.each([
      ['no e-mail', { password: PASSWORD, name: 'Ada' }, 422, /"email"/],
      ['no name', { email: 'a@b.c', password: PASSWORD }, 422, /"name"/],
      ['an e-mail without @', { email: 'a', password: PASSWORD, name: 'Ada' }, 422, /e-mail address/],
      ['a short password', { email: 'a@b.c', password: 'short', name: 'Ada' }, 422, /8 to 1024/],
      ['an empty name', { email: 'a@b.c', password: PASSWORD, name: ' ' }, 422, /"name"/],
      ['a number for a password', { email: 'a@b.c', password: 1, name: 'Ada' }, 422, /expected a string/],
    ])('refuses %s', async (_what, body, status, detail) => {
      expectProblem(await newVisitor(running()).post('/users', body), status, detail);
    });
  });
}

function enrolmentContract(running: () => Running): void {
  describe('enrolment', () => {
    it('S1.8: five an hour from one address; the sixth is told when to come again, in the headers of the IETF', async () => {
      const visitor = newVisitor(running());
      const fresh = await visitor.get('/api/enroll');
      expect(fresh).toMatchObject({ status: 200, json: { limit: 5, remaining: 5, reset_seconds: 0 } });
      for (let remaining = 4; remaining >= 0; remaining--) {
        const answer = await visitor.enrol('Ada Lovelace', await face());
        expect(answer.status).toBe(201);
        expect(answer.headers['ratelimit']).toMatch(new RegExp(`^"enroll";r=${remaining};t=3(?:600|5\\d\\d)$`));
        expect(answer.headers['ratelimit-policy']).toBe('"enroll";q=5;w=3600');
      }
      const refused = await visitor.enrol('Ada Lovelace', await face());
      expectProblem(refused, 429, /At most 5 in 3600 s/);
      expect(refused.headers['ratelimit']).toMatch(/^"enroll";r=0;t=\d+$/);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3_400);
      expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(3_600);
      expect((await newVisitor(running()).enrol('Somebody else', await face())).status).toBe(201);
    });

    it('S1.8: counts tries whose image is refused, and those that are no form at all', async () => {
      const visitor = newVisitor(running());
      expectProblem(await visitor.enrol('Ada', Buffer.from('no image')), 415, /PNG, JPEG or WebP/);
      expectProblem(await visitor.send('/api/enroll', 'application/json', Buffer.from('{')), 400, /JSON/);
      expectProblem(await visitor.send('/api/enroll', 'text/plain', Buffer.from('hello')), 415, /./);
      expectProblem(await visitor.enrol(' ', await face()), 422, /"name"/);
      expectProblem(await visitor.enrol('Ada', Buffer.alloc(6 * 2 ** 20)), 413, /5 MB/);
      expectProblem(await visitor.enrol('Ada', await face()), 429, /At most 5/);
    });

    it('S1.7: embeds the same bytes once over all workers, also when they come at once', async () => {
      const image = await face();
      const answers = await Promise.all([1, 2, 3].map((n) => newVisitor(running()).enrol(`Ada ${n}`, image)));
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(answers.filter(({ json }) => json['cached'] === false)).toHaveLength(1);
      const again = await newVisitor(running()).enrol('Ada 4', image);
      const embedding_id = createHash('sha256').update(image).digest('hex');
      expect(again.json).toEqual({ person_id: expect.any(String) as string, embedding_id, cached: true });
      expect(new Set(answers.map(({ json }) => json['person_id'])).size).toBe(3);
    });
  });
}

function attendanceContract(running: () => Running): void {
  describe('attendance', () => {
    it('recognises who was enrolled through another worker a moment ago, however the picture was taken', async () => {
      const [one, other] = [newVisitor(running()), newVisitor(running())];
      const number = 50_000 + Math.floor(Math.random() * 40_000);
      const { json } = await one.enrol('Grace Hopper', await madeFace(number));
      const seen = await other.attend(await madeFace(number, { shift: [4, -3], tilt: 2, brightness: 1.1, noise: 20 }));
      expect(seen).toMatchObject({ status: 200, json: { person_id: json['person_id'], name: 'Grace Hopper' } });
      expect(Object.keys(seen.json)).toEqual(['person_id', 'name', 'similarity']);
      expect(seen.json['similarity']).toBeGreaterThanOrEqual(0.96);
      expect(seen.json['similarity']).toBeLessThanOrEqual(1);
    });

    it('S1.11: keeps who came today, for those who are logged in', async () => {
      const number = 10_000 + Math.floor(Math.random() * 40_000);
      const { visitor } = await newUser(running(), email());
      const { json } = await visitor.enrol('Katherine Johnson', await madeFace(number));
      await visitor.attend(await madeFace(number));
      const today = await visitor.get('/api/attendance');
      expect(today).toMatchObject({ status: 200, json: { day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string } });
      const arrival = {
        person_id: json['person_id'],
        name: 'Katherine Johnson',
        first_seen: expect.any(Number) as number,
      };
      expect(today.json['present']).toContainEqual({ ...arrival, similarity: expect.closeTo(1, 3) as number });
      expectProblem(await newVisitor(running()).get('/api/attendance'), 401, /Not logged in/);
    });

    it('does not know who was never enrolled', async () => {
      const stripes = Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">${'<path d="M0 0L64 9" stroke="#000"/>'.repeat(3)}</svg>`,
      );
      const { default: sharp } = await import('sharp');
      expectProblem(
        await newVisitor(running()).attend(await sharp(stripes).flatten({ background: '#fff' }).png().toBuffer()),
        404,
        /Nobody/,
      );
    });

    it('refuses what is no image, with the status that says why', async () => {
      const visitor = newVisitor(running());
      const image = await face();
      expectProblem(await visitor.attend(Buffer.alloc(0)), 415, /empty/);
      expectProblem(await visitor.attend(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')), 415, /no image/);
      expectProblem(await visitor.attend(image.subarray(0, 2_000)), 422, /damaged/);
      expectProblem(await visitor.attend(Buffer.alloc(5 * 2 ** 20 + 1)), 413, /5 MB/);
      expectProblem(await visitor.post('/api/attendance', { image: 'none' }), 415, /multipart/);
      expectProblem(await visitor.post('/api/attendance', new FormData()), 422, /No image/);
      const twice = imageForm(image);
      twice.append('image', new Blob([new Uint8Array(image)]), 'two');
      expectProblem(await visitor.post('/api/attendance', twice), 422, /one image/);
      const broken = await visitor.send(
        '/api/attendance',
        'multipart/form-data; boundary=x',
        Buffer.from('--x\r\nhello'),
      );
      expectProblem(broken, 400, /form/);
      expect((await visitor.get('/api/cache/stats')).status).toBe(200);
    });
  });
}

function cacheContract(running: () => Running): void {
  describe('the cache', () => {
    it('S1.11 S1.13: serves a user through the cache, and never the old one after a change', async () => {
      const { visitor, id } = await newUser(running(), email(), 'Ada');
      for (let round = 0; round < 20; round++) {
        const name = `Ada ${round}`;
        const reads = Array.from({ length: 6 }, () => visitor.get(`/api/users/${id}`));
        const changed = await visitor.patch(`/api/users/${id}`, { name });
        expect(changed).toMatchObject({ status: 200, json: { user_id: id, name } });
        const after = await Promise.all(Array.from({ length: 6 }, () => visitor.get(`/api/users/${id}`)));
        expect(after.map(({ json }) => json['name'])).toEqual(after.map(() => name));
        await Promise.all(reads);
      }
      expect((await visitor.get('/me')).json['name']).toBe('Ada 19');
    });

    it('keeps a user from everybody else', async () => {
      const { id } = await newUser(running(), email());
      const { visitor: other } = await newUser(running(), email());
      expectProblem(await other.get(`/api/users/${id}`), 404, /no such user/);
      expectProblem(await other.patch(`/api/users/${id}`, { name: 'Mallory' }), 404, /no such user/);
      expectProblem(await other.get('/api/users/nobody'), 404, /no such user/);
      expectProblem(await newVisitor(running()).get(`/api/users/${id}`), 401, /Not logged in/);
    });

    it.each([
      ['nothing', {}, /"name"/],
      ['an e-mail', { name: 'Ada', email: 'a@b.c' }, /no property "email"/],
      ['two lines', { name: 'A\nB' }, /one line/],
    ])('refuses to change a user to %s', async (_what, body, detail) => {
      const { visitor, id } = await newUser(running(), email());
      expectProblem(await visitor.patch(`/api/users/${id}`, body), 422, detail);
    });

    it('S1.13: counts hits and misses over all workers, and tells keys, memory and mode', async () => {
      const { visitor, id } = await newUser(running(), email());
      const before = await visitor.get('/api/cache/stats');
      expect(Object.keys(before.json)).toEqual(['hits', 'misses', 'keys', 'memory', 'mode', 'connected']);
      expect(before.json['keys']).toBeGreaterThan(0);
      expect(before.json['memory']).toBeGreaterThan(0);
      for (let read = 0; read < 4; read++) await visitor.get(`/api/users/${id}`);
      const counted = async (what: string): Promise<number> =>
        Number((await visitor.get('/api/cache/stats')).json[what]) - Number(before.json[what]);
      await expect.poll(() => counted('misses')).toBeGreaterThanOrEqual(1);
      await expect.poll(() => counted('hits')).toBeGreaterThanOrEqual(3);
    });
  });
}
