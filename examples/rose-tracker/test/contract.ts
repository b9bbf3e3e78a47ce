import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Camera } from './camera.js';

/** Workers that share one state. */
export interface Workers {
  /** Where each answers, without a slash at the end: `http://127.0.0.1:5000`, or `http://host/rose-tracker`. */
  readonly bases: readonly string[];
  close(): Promise<void>;
}

/** An id that no other test uses. */
function rose(): string {
  return `rose-${randomUUID()}`;
}

function expectProblem(answer: Answer, status: number, detail: RegExp): void {
  expect(answer).toMatchObject({ status, json: { status, detail: expect.stringMatching(detail) as string } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(Object.keys(answer.json).slice(0, 4)).toEqual(['type', 'title', 'status', 'detail']);
}

const nobody = '0'.repeat(32);

/** What clients may rely on, whatever number of workers answers and wherever the state lives. */
export function contract(open: () => Promise<Workers>): void {
  let workers: Workers | undefined;
  let camera: Camera;
  beforeAll(async () => {
    workers = await open();
    camera = new Camera(workers.bases);
  }, 60_000);
  afterAll(() => workers?.close());

  describe('sessions', () => {
    it('S0.10: get consecutive numbers, and the totals know the last of them', async () => {
      const before = await camera.totals();
      const sessions = [await camera.start(), await camera.start(), await camera.start()];
      const numbers = sessions.map((session) => session.session_number);
      const next = before.next_session_number;
      expect(numbers).toEqual([next, next + 1, next + 2]);
      expect(await camera.totals()).toMatchObject({
        next_session_number: next + 3,
        last_session_id: sessions[2]?.session_id,
      });
      expect(Object.keys(sessions[0] ?? {})).toEqual(['session_id', 'session_number', 'start_time']);
      expect(sessions[0]?.start_time).toBeCloseTo(Date.now() / 1_000, -1);
    });

    it.each(['', '{}', '{"any":"thing"}'])('begin and stop with the body %j, whose type is JSON', async (body) => {
      const { status, json } = await camera.ask('POST', '/sessions', body);
      expect(status).toBe(201);
      expect((await camera.ask('POST', `/sessions/${String(json['session_id'])}/stop`, body)).status).toBe(200);
    });

    it('S0.7, S0.9: are records that any worker answers with, and hold these fields', async () => {
      const { session_id, session_number, start_time } = await camera.start();
      expect(await camera.session(session_id)).toEqual({
        start_time,
        last_update: start_time,
        last_count_update: start_time,
        display_count: 0,
        frame_counts: [],
        session_unique_roses: [],
        frame_count: 0,
        session_number,
      });
    });

    it.each(['GET', 'POST'])('S0.4: that do not exist are problems (%s)', async (method) => {
      const path = method === 'GET' ? '' : '/stop';
      for (const id of [nobody, 'x', '%00', '...', 'A'.repeat(32), '*'.repeat(32), 'a'.repeat(90)]) {
        expectProblem(await camera.ask(method, `/sessions/${encodeURIComponent(id)}${path}`), 404, /./);
      }
      if (method === 'POST') {
        const body = { frame: 1, roses: [rose()] };
        expectProblem(await camera.ask('POST', `/sessions/${nobody}/frames`, body), 404, /no session of this id/);
      }
    });
  });

  describe('frames', () => {
    it('S0.8: are counted by any worker, with the median of the last ten on display', async () => {
      const { session_id: id } = await camera.start();
      const before = await camera.totals();
      const [a, b, c] = [rose(), rose(), rose()];
      expect(await camera.frame(id, 1, [a, b])).toEqual({
        display_count: 2,
        frame_count: 1,
        session_unique_roses: 2,
        total_unique_roses: before.total_unique_roses + 2,
      });
      for (let frame = 2; frame <= 9; frame += 1) await camera.frame(id, frame, [a]);
      expect(await camera.frame(id, 10, [a, b, c])).toMatchObject({ display_count: 1, session_unique_roses: 3 });
      const session = await camera.session(id);
      expect(session.frame_counts).toEqual([2, 1, 1, 1, 1, 1, 1, 1, 1, 3]);
      expect(new Set(session.session_unique_roses)).toEqual(new Set([a, b, c]));
      expect(session.last_update).toBeGreaterThanOrEqual(session.start_time);
      expect(await camera.totals()).toMatchObject({
        total_unique_roses: before.total_unique_roses + 3,
        cumulative_unique_roses: before.cumulative_unique_roses + 3,
      });
    });

    it('that come again change nothing, whatever is in them', async () => {
      const { session_id: id } = await camera.start();
      const counts = await camera.frame(id, 7, [rose()]);
      const before = [await camera.session(id), await camera.totals()];
      for (const roses of [[rose(), rose()], []]) expect(await camera.frame(id, 7, roses)).toEqual(counts);
      expect([await camera.session(id), await camera.totals()]).toEqual(before);
    });

    it('at the same moment are all counted, and the same one once', async () => {
      const { session_id: id } = await camera.start();
      const before = await camera.totals();
      const roses = Array.from({ length: 40 }, rose);
      const frames = roses.flatMap((one, index) => [index, index].map((frame) => camera.frame(id, frame, [one])));
      await Promise.all(frames);
      const session = await camera.session(id);
      expect([session.frame_count, session.session_unique_roses.length]).toEqual([40, 40]);
      expect(await camera.totals()).toMatchObject({
        total_unique_roses: before.total_unique_roses + 40,
        cumulative_unique_roses: before.cumulative_unique_roses + 40,
      });
    });

    it('S0.8: of two sessions count a rose of both once in the total and twice in the sum', async () => {
      const [one, two] = [await camera.start(), await camera.start()];
      const before = await camera.totals();
      const [shared, own] = [rose(), rose()];
      await camera.frame(one.session_id, 1, [shared]);
      await camera.frame(two.session_id, 1, [shared, own, own]);
      const after = await camera.totals();
      expect(after.total_unique_roses - before.total_unique_roses).toBe(2);
      expect(after.cumulative_unique_roses - before.cumulative_unique_roses).toBe(3);
    });

    it('take numbers as ids, and give them back as numbers', async () => {
      const { session_id: id } = await camera.start();
      await camera.frame(id, 1, [1_234_567, '1234567', -5]);
      expect((await camera.session(id)).session_unique_roses).toEqual([1_234_567, -5]);
    });

    it('hold any text as an id', async () => {
      const { session_id: id } = await camera.start();
      const ids = ['*', '{tag}', 'a b\n', '🌹', '__proto__', `${id}:`, 'é'.repeat(128)];
      expect(await camera.frame(id, 1, ids)).toMatchObject({ session_unique_roses: ids.length });
      expect((await camera.session(id)).session_unique_roses).toEqual(ids);
    });

    it.each([
      ['no frame', { roses: [] }, 422, /"frame"/],
      ['no roses', { frame: 1 }, 422, /"roses"/],
      ['a negative frame', { frame: -1, roses: [] }, 422, /body\.frame/],
      ['a fraction of a frame', { frame: 1.5, roses: [] }, 422, /body\.frame/],
      ['a frame beyond counting', { frame: 2 ** 53, roses: [] }, 422, /body\.frame/],
      ['a frame as text', { frame: '1', roses: [] }, 422, /body\.frame/],
      ['roses that are no list', { frame: 1, roses: 'a' }, 422, /body\.roses/],
      ['null for a rose', { frame: 1, roses: [null] }, 422, /body\.roses\[0\]/],
      ['an empty id', { frame: 1, roses: [''] }, 422, /body\.roses\[0\]/],
      ['a long id', { frame: 1, roses: ['x'.repeat(129)] }, 422, /body\.roses\[0\]/],
      ['half a character', '{"frame":1,"roses":["a","\\ud83c"]}', 422, /body\.roses\[1\]/],
      ['too many roses', { frame: 1, roses: Array.from({ length: 1_001 }, (_, id) => id) }, 422, /body\.roses/],
      ['a list as body', [], 422, /body/],
      ['nothing', '', 422, /body/],
      ['a poisoned body', '{"frame":1,"roses":[],"__proto__":{"a":1}}', 400, /./],
      ['no JSON', '{"frame":1', 400, /./],
      ['more than a megabyte', { frame: 1, roses: ['x'.repeat(2 ** 20)] }, 413, /./],
    ])('with %s are refused and change nothing', async (_name, body, status, detail) => {
      const { session_id: id } = await camera.start();
      const before = [await camera.session(id), await camera.totals()];
      expectProblem(await camera.ask('POST', `/sessions/${id}/frames`, body), status, detail);
      expect([await camera.session(id), await camera.totals()]).toEqual(before);
    });
  });

  describe('stopping', () => {
    it('S0.10: adds an entry to the history, once, and ends the session', async () => {
      const { session_id: id, session_number, start_time } = await camera.start();
      const [a, b] = [rose(), rose()];
      await camera.frame(id, 1, [a]);
      await camera.frame(id, 2, [a, b]);
      const entry = await camera.stop(id);
      expect(entry).toEqual({
        session_id: id,
        session_number,
        start_time,
        end_time: expect.any(Number) as number,
        duration: Math.round((entry.end_time - start_time) * 1_000) / 1_000,
        frame_count: 2,
        unique_roses: 2,
        display_count: 2,
      });
      expect(await camera.stop(id)).toEqual(entry);
      expect((await camera.history()).filter(({ session_id }) => session_id === id)).toEqual([entry]);
      expect((await camera.history()).at(-1)).toEqual(entry);
      expectProblem(await camera.ask('GET', `/sessions/${id}`), 404, /has ended/);
      const late = await camera.ask('POST', `/sessions/${id}/frames`, { frame: 3, roses: [rose()] });
      expectProblem(late, 404, /has ended/);
    });

    it('several times at once gives one entry', async () => {
      const { session_id: id } = await camera.start();
      await camera.frame(id, 1, [rose()]);
      const entries = await Promise.all(Array.from({ length: 6 }, () => camera.stop(id)));
      expect(new Set(entries.map((entry) => JSON.stringify(entry))).size).toBe(1);
      expect((await camera.history()).filter(({ session_id }) => session_id === id)).toHaveLength(1);
    });

    it('while frames come loses none that was answered', async () => {
      const { session_id: id } = await camera.start();
      const before = await camera.totals();
      const sending = Array.from({ length: 30 }, async (_, frame) => {
        const { status } = await camera.ask('POST', `/sessions/${id}/frames`, { frame, roses: [rose()] });
        return status;
      });
      const entry = await camera.stop(id);
      const answered = (await Promise.all(sending)).filter((status) => status === 200).length;
      expect(entry.frame_count).toBe(answered);
      expect(entry.unique_roses).toBe(answered);
      const after = await camera.totals();
      expect(after.cumulative_unique_roses - before.cumulative_unique_roses).toBe(answered);
    });
  });
}
