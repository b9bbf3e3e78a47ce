import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, expectProblem, form, openSocket, PASSWORD } from './client.js';
import { accuracy, PHOTOTEST, PHOTOTEST_TEXT } from './recognition/samples.js';

/** Processes that share one state. */
export interface Processes {
  /** Where each answers, without a slash at the end: `http://127.0.0.1:5000`, or `http://host/ocr`. */
  readonly bases: readonly string[];
  close(): Promise<void>;
}

/** What clients may rely on, whatever number of processes answers and wherever the state lives. */
export function contract(open: () => Promise<Processes>): void {
  let processes: Processes | undefined;
  let bases: readonly string[] = [];
  beforeAll(async () => {
    processes = await open();
    ({ bases } = processes);
  }, 60_000);
  afterAll(() => processes?.close());

  const address = (): string => `${randomUUID()}@example.com`;
  const someone = async (email: string = address()): Promise<Client> => {
    const client = new Client(...bases);
    await client.signUp(email);
    await client.login(email);
    return client;
  };

  describe('users and sessions', () => {
    it('S4.10: sign up, log in and are known, by a token of 64 hexadecimal digits', async () => {
      const email = address();
      const client = new Client(...bases);
      const userId = await client.signUp(email);
      const { token, expires_at } = await client.login(email);
      expect(token).toMatch(/^[0-9a-f]{64}$/);
      expect(Number(expires_at) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
      for (const _ of bases) {
        const { status, json } = await client.get('/me');
        expect(status).toBe(200);
        expect(json).toMatchObject({ user_id: userId, email });
        expect(Object.keys(json)).toEqual(['user_id', 'email', 'role', 'created_at', 'last_activity']);
      }
    });

    it('refuse what is taken, wrong or malformed', async () => {
      const email = address();
      const client = await someone(email);
      expectProblem(await client.post('/users', { email, password: PASSWORD }), 409, /exists/);
      expectProblem(await client.post('/login', { email, password: 'wrong' }), 401, /./);
      expectProblem(await client.post('/users', { email: 'x', password: PASSWORD }), 422, /./);
      const headers = { 'content-type': 'application/json' };
      expectProblem(await client.request('POST', '/users', { headers, body: '{' }), 400, /./);
      client.token = '0'.repeat(64);
      expectProblem(await client.get('/me'), 401, /^Invalid session$/);
    });

    it('S4.12: are listed without a token, and end one by one or all at once', async () => {
      const email = address();
      const [first, second, third] = [await someone(email), new Client(...bases), new Client(...bases)];
      await second.login(email);
      await third.login(email);
      const { json } = await first.get('/sessions');
      expect(JSON.stringify(json)).not.toContain(second.token);
      expect(await second.post('/logout')).toMatchObject({ status: 200, json: { revoked: 1 } });
      for (const _ of bases) expectProblem(await second.get('/me'), 401, /^Invalid session$/);
      expect(await first.post('/logout-all')).toMatchObject({ json: { revoked: 2 } });
      for (const _ of bases) expect((await third.get('/me')).status).toBe(401);
    });

    it('get ten tries a minute for each pair of address and e-mail', async () => {
      const email = address();
      const client = new Client(...bases);
      const tries = Array.from({ length: 12 }, () => client.post('/login', { email, password: 'wrong' }));
      const statuses = (await Promise.all(tries)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(10);
      const limited = await client.post('/login', { email, password: PASSWORD });
      expectProblem(limited, 429, /./);
      expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(limited.headers.get('ratelimit-policy')).toBe('"login";q=10;w=60');
    });
  });

  describe('tasks', () => {
    it('S4.9, S4.14: are read, and their owner hears of it on a socket, each notice once and in order', async () => {
      const client = await someone();
      const live = await client.connect();
      const id = await client.upload(PHOTOTEST, 7);
      const task = await client.finished(id);
      expect(accuracy(task.result?.text ?? '', PHOTOTEST_TEXT)).toBeGreaterThanOrEqual(0.99);
      expect(task).toMatchObject({ task_id: id, status: 'completed', priority: 7, attempts: 1, error: null });
      const last = await live.until(id, 'completed');
      expect(last).toMatchObject({ type: 'task_completed', task_id: id, user_id: task.user_id });
      const heard = live.of(id).map((update) => update.id);
      expect(new Set(heard).size).toBe(heard.length);
      const missed = await client.connect(heard[0]);
      await missed.until(id, 'completed');
      expect(missed.of(id).map((update) => update.id)).toEqual(heard.slice(1));
      const { json } = await client.get('/stats');
      expect(Object.keys(json)).toEqual(['tasks', 'daily']);
      expect((json['tasks'] as Record<string, number>)['completed']).toBeGreaterThanOrEqual(1);
    }, 40_000);

    it("are their owner's alone, listed newest first, and can be cancelled", async () => {
      const [owner, other] = [await someone(), await someone()];
      const ids = [await owner.upload(PHOTOTEST, 0), await owner.upload(PHOTOTEST, 0)];
      const { json } = await owner.get('/tasks');
      expect((json['tasks'] as { task_id: string }[]).map((task) => task.task_id)).toEqual(ids.toReversed());
      expectProblem(await other.get(`/tasks/${ids[0]}`), 404, /./);
      expectProblem(await other.request('DELETE', `/tasks/${ids[0]}`), 404, /./);
      for (const id of ids) await owner.request('DELETE', `/tasks/${id}`);
      for (const id of ids) expect((await owner.finished(id)).status).toBeOneOf(['cancelled', 'completed']);
    }, 40_000);

    it('are refused as what they are: no session, no file, no image, no priority', async () => {
      const client = await someone();
      const send = (bytes: Uint8Array, fields = {}): Promise<{ status: number }> =>
        client.request('POST', '/tasks', { body: form(bytes, fields) });
      expect((await new Client(...bases).get('/tasks')).status).toBe(401);
      expect((await client.post('/tasks', {})).status).toBe(415);
      expect((await send(Buffer.from('GIF89a, not for us'))).status).toBe(415);
      expect((await send(Buffer.from('x'), { priority: '11' })).status).toBeOneOf([400, 415, 422]);
      expectProblem(await client.get(`/tasks/${randomUUID()}`), 404, /./);
    });
  });

  describe('sockets', () => {
    it('S4.12: close within a second when their session ends, through whichever process', async () => {
      const client = await someone();
      const [one, two] = [await client.connect(), await client.connect()];
      await client.post('/logout-all');
      await Promise.all([one.closed(1_000), two.closed(1_000)]);
    });

    it('are refused without a session', async () => {
      const socket = openSocket(bases[0] ?? '', { token: '0'.repeat(64) });
      const refused = await new Promise<Error>((resolve) => socket.once('connect_error', resolve));
      expect(refused.message).toContain('Invalid session');
    });
  });
}
