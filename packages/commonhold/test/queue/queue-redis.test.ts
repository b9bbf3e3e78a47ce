import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodePart } from '../../src/keys.js';
import type { QueueOptions } from '../../src/queue/queue-options.js';
import type { DocumentedNotice } from '../../src/queue/job-notice.js';
import type { DocumentedNames } from '../../src/queue/queue-port.js';
import type { Queue } from '../../src/queue/queue.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { PortWorker, whenStatus } from '../../src/testing/queue-runs.js';
import type { RespReply } from '../../src/testing/resp-connection.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('keys of a queue on Redis', () => {
  const server = useServer();
  const redis = (...command: string[]): Promise<RespReply> => server().command(...command);
  let engine: Engine;
  let namespace: string;

  beforeEach(async () => {
    engine = await redisEngine(server()).start();
    namespace = (await engine.open()).namespace;
  });
  afterEach(() => engine.close());

  const open = async <Data, Result = void>(options: QueueOptions = {}): Promise<Queue<Data, Result>> =>
    (await engine.open({ owner: 'worker-001' })).queue<Data, Result>('q', options);
  /** But for what the connection keeps for itself. */
  const keysOf = async (pattern: string): Promise<string[]> =>
    ((await redis('KEYS', pattern)) as string[]).filter((key) => !key.startsWith(`${namespace}:epoch:`)).toSorted();
  const hashOf = async (key: string): Promise<Record<string, string>> => {
    const flat = (await redis('HGETALL', key)) as string[];
    return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : [])));
  };

  it('forget what jobs are searched by when their records are gone', async () => {
    const base = `${namespace}:queue:{q}`;
    const queue = await open<{ user: string }>({
      fields: ['user'],
      keepCompleted: '10s',
      keepFailed: '20s',
      attempts: 1,
    });
    await queue.addMany(['ada', 'a:b'].map((user) => ({ data: { user } })));
    await queue.add({ user: 'bob' }, { id: 'bad' });
    const expected = ['created', 'field:user:a%3Ab', 'field:user:ada', 'field:user:bob', 'status:pending', 'values'];
    const index = async (): Promise<string[]> =>
      (await keysOf(`${base}:*`))
        .map((key) => key.slice(base.length + 1))
        .filter((key) => /^(?:created|field|status|values)/.test(key));
    expect(await index()).toEqual(expected);
    const worker = queue.work(({ id }) => (id === 'bad' ? Promise.reject(new Error('no')) : undefined));
    await whenStatus(queue, 'bad', 'failed');
    await engine.advance(10_500);
    await worker.close();
    const other = queue.work(() => undefined);
    await eventually(async () => expect(await redis('ZCARD', `${base}:created`)).toBe(1));
    await other.close();
    await engine.advance(10_500);
    await queue.add({ user: 'eve' });
    const last = queue.work(() => undefined);
    await eventually(async () => expect(await redis('ZCARD', `${base}:created`)).toBe(1));
    await last.close();
    expect((await index()).filter((key) => key.startsWith('field'))).toEqual(['field:user:eve']);
  });

  it('are looked at in small steps by a search that finds little', async () => {
    const queue = await open<{ user: string; n: number }>({ fields: ['user'] });
    await queue.add({ user: 'ada', n: 0 }, { topic: 'rare' });
    for (let batch = 0; batch < 5; batch++)
      await queue.addMany(Array.from({ length: 500 }, (_, n) => ({ data: { user: 'ada', n } })));
    await engine.advance(1_000);
    const first = await queue.search({ topic: 'rare', fields: { user: 'ada' } });
    expect(first.jobs).toEqual([]);
    const second = await queue.search({ topic: 'rare', fields: { user: 'ada' }, cursor: first.cursor ?? '' });
    expect([...first.jobs, ...second.jobs].map((job) => job.data.n)).toEqual([0]);
    expect(second.cursor).toBeUndefined();
  });

  it('are the documented ones, all under one hash tag', async () => {
    const base = `${namespace}:queue:{q}`;
    const queue = await open<number>({ notices: true, attempts: 1 });
    await queue.pause();
    const [compact] = await queue.addMany([
      { data: 1, priority: 7 },
      { data: 2, id: 'own', topic: 'a:b' },
      { data: 3, id: 'late', delay: '1h' },
    ]);
    const worker = queue.work(() => expect.fail());
    await queue.resume();
    await whenStatus(queue, 'own', 'failed');
    const adder = (await keysOf(`${base}:adds:*`))[0] ?? '';
    const turn = (await keysOf(`${base}:turn:*`))[0] ?? '';
    expect(adder).toMatch(/:adds:worker-001#[\w%-]{8,}:\d+$/);
    expect(turn).toMatch(/:turn:worker-001#[\w%-]{8,}:[\w%-]{4}$/);
    expect(await keysOf(`${namespace}:*`)).toEqual(
      [
        adder,
        turn,
        `${base}:dead`,
        `${base}:delayed`,
        `${base}:idle`,
        `${base}:job:${compact?.id}`,
        `${base}:job:late`,
        `${base}:job:own`,
        `${base}:notices`,
        `${base}:notices:user:a%3Ab`,
        `${base}:sequence`,
        `${base}:stats:daily:${new Date().toISOString().slice(0, 10)}`,
        `${base}:stats:tasks:failed`,
        `${base}:stats:tasks:total`,
        `${base}:stream:5`,
        `${base}:stream:7`,
        `${base}:topic:a%3Ab`,
      ].toSorted(),
    );
    await worker.close();
  });

  it('S4.16: hold records that other programs can read', async () => {
    const queue = await open<{ user_id: string; pages: number; deep: object }, string>({ record: 'hash' });
    const data = { user_id: 'u1', pages: 3, deep: {} };
    const { id } = await queue.add(data, { topic: 'u1', priority: 7 });
    const key = `${namespace}:queue:{q}:job:${id}`;
    const common = { user_id: 'u1', pages: '3', data: JSON.stringify(data), priority: '7', topic: 'u1' };
    const created_at = expect.stringMatching(/^\d{13}$/);
    expect(await hashOf(key)).toEqual({ ...common, created_at, status: 'pending', attempts: '0' });
    queue.work(() => 'done');
    await whenStatus(queue, id, 'completed');
    expect(await hashOf(key)).toMatchObject({
      ...common,
      status: 'completed',
      attempts: '1',
      result: '"done"',
      worker_id: 'worker-001',
      started_at: created_at,
      completed_at: created_at,
    });
    await expect(queue.add({ ...data, status: 'x' } as typeof data)).rejects.toMatchObject({ code: 'InvalidArgument' });
    const many = Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`f${n}`, n]));
    await expect(queue.add({ ...data, ...many })).rejects.toMatchObject({ code: 'InvalidArgument' });
    expect((await queue.counts()).pending).toBe(0);
  });

  it('S4.6: all end, but for what counts and orders, once the last job is over and forgotten', async () => {
    const queue = await open<number>({ keepCompleted: '5s', keepFailed: '9s', attempts: 1, notices: true });
    const worker = queue.work(({ data }) => {
      if (data >= 5) throw new Error('too large');
    });
    await queue.addMany(
      Array.from({ length: 10 }, (_, data) => ({ data, topic: `user-${data % 3}`, priority: data % 2 })),
    );
    await queue.add(1, { delay: 1 });
    await eventually(async () => expect(await queue.totals()).toEqual({ total: 11, completed: 6, failed: 5 }));
    await worker.close();
    await engine.advance(8_000);
    expect(await keysOf(`${namespace}:*:topic:*`)).toHaveLength(3);
    expect((await queue.list('user-2')).jobs.map((job) => job.data)).toEqual([8, 5]);
    await engine.advance(3_601_000);
    const lasting = [
      'sequence',
      'stats:tasks:completed',
      'stats:tasks:failed',
      'stats:tasks:total',
      'stream:0',
      'stream:1',
    ];
    const daily = `stats:daily:${new Date().toISOString().slice(0, 10)}`;
    expect(await keysOf(`${namespace}:*`)).toEqual(
      [...lasting, daily].toSorted().map((key) => `${namespace}:queue:{q}:${key}`),
    );
    for (const key of lasting.filter((name) => name.startsWith('stream'))) {
      expect(await redis('XLEN', `${namespace}:queue:{q}:${key}`)).toBe(0);
    }
    expect(Number(await redis('PTTL', `${namespace}:queue:{q}:${daily}`))).toBeGreaterThan(0);
  });

  it('keep a topic while one of its jobs waits, however long', async () => {
    const queue = await open<number>({ keepCompleted: '1s', keepFailed: '1s', attempts: 1 });
    const { id } = await queue.add(1, { topic: 't', delay: '1h' });
    const failing = await queue.add(2, { topic: 't' });
    const worker = queue.work(() => expect.fail());
    await whenStatus(queue, failing.id, 'failed');
    await worker.close();
    await engine.advance(100_000);
    expect((await queue.list('t')).jobs.map((job) => job.id)).toEqual([id]);
    await queue.cancel(id);
    await engine.advance(2_000);
    expect(await keysOf(`${namespace}:*:topic:*`)).toEqual([]);
  });

  it('never give an id twice, however fast a line empties', async () => {
    const queue = await open<number>({ keepCompleted: 0 });
    const ids = new Set<string>();
    for (let round = 0; round < 300; round++) {
      const { id } = await queue.add(round);
      ids.add(id);
      expect(await queue.cancel(id)).toBe('pending');
    }
    expect(ids.size).toBe(300);
    expect(await redis('XLEN', `${namespace}:queue:{q}:stream:5`)).toBe(0);
  });

  it('leave nothing behind of workers that are gone', async () => {
    const idle = `${namespace}:queue:{q}:idle`;
    const ports = await engine.ports();
    for (const name of ['a', 'b', 'c']) await new PortWorker(ports, name).turn(1);
    expect(await redis('ZCARD', idle)).toBe(3);
    await engine.advance(5_100);
    await new PortWorker(ports, 'd').turn(1);
    expect(await redis('ZRANGE', idle, '0', '-1')).toEqual(['d:1']);
  });

  it('wake as many workers as there are jobs, and no more', async () => {
    const ports = await engine.ports();
    const workers = ['a', 'b', 'c', 'd'].map((name) => new PortWorker(ports, name));
    for (const worker of workers) await worker.turn(2);
    const idle = async (): Promise<number> => Number(await redis('ZCARD', `${namespace}:queue:{q}:idle`));
    await workers[0]?.add({}, {});
    expect(await idle()).toBe(2);
    await workers[0]?.add({ delayMs: 60_000, id: 'x' });
    expect(await idle()).toBe(1);
    await workers[0]?.add({ delayMs: 70_000, id: 'y' });
    expect(await idle()).toBe(1);
    // Takes all that waits, so nobody else need come.
    await workers[1]?.turn(2);
    expect(await idle()).toBe(1);
    await workers[0]?.add({}, {}, {});
    expect(await idle()).toBe(0);
  });

  it('do not keep workers awake for a job whose record somebody deleted', async () => {
    const queue = await open<number>();
    await queue.pause();
    await queue.addMany([
      { data: 1, id: 'a' },
      { data: 2, id: 'b' },
      { data: 3, id: 'c', priority: 9 },
    ]);
    await redis('DEL', `${namespace}:queue:{q}:job:a`, `${namespace}:queue:{q}:job:c`);
    const seen: number[] = [];
    const workers = [queue, await open<number>()].map((each) => each.work(({ data }) => void seen.push(data)));
    await queue.resume();
    await eventually(() => expect(seen).toEqual([2]));
    await pause(50);
    expect(await queue.counts()).toEqual({ pending: 0, delayed: 0, processing: 0, failed: 0 });
    const before = Number(/total_commands_processed:(\d+)/.exec(String(await redis('INFO', 'stats')))?.[1]);
    await pause(500);
    const after = Number(/total_commands_processed:(\d+)/.exec(String(await redis('INFO', 'stats')))?.[1]);
    expect(after - before).toBeLessThan(100);
    await Promise.all(workers.map((worker) => worker.close()));
  });

  it('name topics in scripts as keys.ts does', async () => {
    const queue = await open<number>();
    const ascii = Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1));
    const topics = [...ascii, ascii.join(''), 'é', '😀', '%25', '\u0080', '\u0000', 'x'.repeat(256)];
    await queue.addMany(topics.map((topic) => ({ data: 1, topic })));
    for (const topic of topics) {
      expect(await redis('ZCARD', `${namespace}:queue:{q}:topic:${encodePart(topic)}`), JSON.stringify(topic)).toBe(1);
      expect((await queue.list(topic)).jobs).toHaveLength(1);
    }
  });
});

describe('documented names', () => {
  const server = useServer();
  const clustered = useServer({ cluster: true });
  const names: DocumentedNames = {
    queue: 'ocr:task:queue',
    record: 'ocr:task:data',
    stats: 'ocr:stats',
    notices: 'ocr:notifications',
  };
  const tagged: DocumentedNames = {
    queue: '{ocr}:task:queue',
    record: '{ocr}:task:data',
    stats: '{ocr}:stats',
    notices: '{ocr}:notifications',
  };

  async function runOne(engine: Engine, documented: DocumentedNames): Promise<string[]> {
    const queue = (await engine.open()).queue<{ file_id: string }, string>('any', { documented, notices: true });
    const heard: string[] = [];
    const topic = queue.notices<DocumentedNotice>('u1');
    await topic.subscribe(
      (notice) => void heard.push(`${notice.type} ${notice.task_id} ${notice.user_id} ${notice.status}`),
    );
    // News of progress gives way to the end of its job, so the job waits for its own.
    const worker = queue.work(async (_, { progress }) => {
      progress(0.5);
      await eventually(() => expect(heard).toHaveLength(1));
      return 'text';
    });
    const { id } = await queue.add({ file_id: 'f1' }, { topic: 'u1' });
    await eventually(() =>
      expect(heard).toEqual([`task_progress ${id} u1 processing`, `task_completed ${id} u1 completed`]),
    );
    await worker.close();
    return [id];
  }

  it('S4.13, S4.15, S4.16: stand as they were given, and messages are JSON', async () => {
    const engine = await redisEngine(server()).start();
    const [id = ''] = await runOne(engine, names);
    const day = new Date().toISOString().slice(0, 10);
    expect(await server().command('HMGET', `ocr:task:data:${id}`, 'status', 'file_id')).toEqual(['completed', 'f1']);
    expect(await server().command('GET', 'ocr:stats:tasks:total')).toBe('1');
    expect(await server().command('GET', 'ocr:stats:tasks:completed')).toBe('1');
    const [completed, failed, mean] = (await server().command(
      'HMGET',
      `ocr:stats:daily:${day}`,
      'tasks_completed',
      'tasks_failed',
      'avg_processing_time',
    )) as string[];
    expect([completed, failed]).toEqual(['1', null]);
    expect(Number(mean)).toBeGreaterThanOrEqual(0);
    expect(await server().command('XLEN', 'ocr:notifications')).toBe(2);
    await engine.close();
  });

  it('work on a cluster with a common tag, and are refused without, saying what to write', async () => {
    const engine = await redisEngine(clustered()).start();
    await runOne(engine, tagged);
    const scattered = (await engine.open()).queue('x', { documented: names });
    await expect(scattered.add({})).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining("'{ocr:task:queue}' and '{ocr:task:queue}:data'"),
    });
    const untagged = { ...names, record: 'ocr:task:queue:data' };
    await expect((await engine.open()).queue('x', { documented: untagged }).counts()).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    await engine.close();
  });

  it('are checked when the queue is made', async () => {
    const engine = await redisEngine(server()).start();
    const state = await engine.open();
    let queues = 0;
    const make =
      (changes: Partial<DocumentedNames>, notices = true) =>
      (): unknown =>
        state.queue(`x${queues++}`, { documented: { ...names, ...changes }, notices });
    expect(make({})).not.toThrow();
    for (const bad of [
      { record: names.queue },
      { queue: '' },
      { stats: 'with space' },
      { notices: 'no-colon' },
      { notices: 'a:b^c' },
    ]) {
      expect(make(bad), JSON.stringify(bad)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    }
    expect(make({ notices: 'no-colon' }, false)).not.toThrow();
    expect(() => state.queue('ä', { notices: true })).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    await engine.close();
  });
});
