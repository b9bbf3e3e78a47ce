import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { JobEnd, JobFilter, QueueAddress } from '../../src/queue/queue-port.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { addressOf, anyJob, endOf, plainJob, PortWorker } from '../../src/testing/queue-runs.js';
import { useServer } from '../engines.js';

const address: QueueAddress = { ...addressOf('q'), notices: true };

/** Has groups in the ring and parked, with jobs that wait again and places of cancelled ones. */
async function prepareGroups(ports: Ports): Promise<void> {
  const tight = { ...address, limits: { running: 0, starts: 0, windowMs: 0, runningInGroup: 1 } };
  const worker = new PortWorker(ports, 'grouped', tight);
  await worker.add(...['g1', 'g2', 'g3', 'h1', 'h2'].map((id) => ({ id, group: id.slice(0, 1), priority: 10 })));
  await worker.add({ group: 'k', priority: 0 }, { id: 'i1', searchedBy: ['user', 'x'], priority: 0 });
  const { jobs } = await worker.turn(2, { idle: false });
  await ports.queue.cancel(address, 'g2');
  await worker.hand(...jobs.slice(1).map((job) => endOf(job, 'return')));
}

/** Brings a queue to where something of every kind is about to happen; returns how jobs of worker `w` end: two did. */
async function prepare(engine: Engine, ports: Ports): Promise<readonly JobEnd[]> {
  const { queue } = ports;
  const worker = (name: string): PortWorker => new PortWorker(ports, name, address);
  const [w, dead, dying, other] = [worker('w'), worker('dead'), worker('dying'), worker('other')];
  const stay = async (ms: number): Promise<void> => {
    await engine.advance(ms);
    await Promise.all([w, other].map(({ self }) => queue.renew(address, self, [])));
  };
  await w.add(...['s', 'l', 'o'].map((id) => ({ id, priority: 9, topic: 't' })));
  await dead.turn(2);
  await other.turn(1);
  await w.add({}, {}, ...['b', 'c', 'd', 'e', 'f'].map((id) => ({ id, topic: 't' })));
  const running = (await w.turn(7)).jobs;
  const kinds = ['return', 'fail', 'complete', 'fail', 'retry', 'return'] as const;
  const ends = kinds.map((kind, index) => endOf(running[index] ?? expect.fail(), kind, '"x"'));
  await w.hand(...ends.slice(0, 2));
  await w.add({ priority: 2 }, { priority: 2 }, { priority: 2 });
  await worker('x').turn(2);
  await stay(4_000);
  await stay(2_000);
  await dying.turn(2);
  await stay(3_000);
  await stay(2_500);
  await w.hand();
  await w.add({ id: 'due', delayMs: 1 }, { id: 'later', delayMs: 99_000 }, { id: 'waits' }, { id: 'gone' }, {}, {}, {});
  await queue.cancel(address, 'gone');
  await engine.advance(2_000);
  await queue.renew(address, w.self, []);
  await engine.advance(3_500);
  await worker('y').turn(1, { idle: false });
  // While this one waits for what must run alone, others take jobs.
  await w.turn(1, { idle: false });
  await prepareGroups(ports);
  return ends;
}

describe('a queue that another program wrote to', () => {
  const server = useServer();
  let engine: Engine;
  let ports: Ports;
  let ends: readonly JobEnd[];
  let failed: JobEnd | undefined;
  let prefix: string;
  let keys: string[];

  beforeAll(async () => {
    engine = await redisEngine(server()).start();
    prefix = `${(await engine.open()).namespace}:queue:{q}:`;
    ports = await engine.ports();
    [, failed, ...ends] = await prepare(engine, ports);
    await server().command('ZADD', `${prefix}idle`, '9999999999999', 'i:1');
    keys = ((await server().command('KEYS', `${prefix}*`)) as string[]).map((key) => key.slice(prefix.length));
    for (const key of keys) await server().command('COPY', prefix + key, `saved:${key}`);
  });
  afterAll(() => engine.close());

  /** Puts every key back as it was. */
  const restore = `
    for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end
    for _, key in ipairs(redis.call('KEYS', 'saved:*')) do redis.call('COPY', key, ARGV[1] .. string.sub(key, 7)) end`;
  /** Makes a key one of another type. */
  const replace = `
    local key = ARGV[1] .. ARGV[2]
    local is_text = redis.call('TYPE', key).ok == 'string'
    redis.call('DEL', key)
    redis.call(is_text and 'LPUSH' or 'SET', key, 'x')`;
  beforeEach(() => server().command('EVAL', restore, '0', prefix));

  // Of all but the epoch, into which the pulse of a connection writes.
  const digest = async (): Promise<unknown> => {
    const all = String(await server().command('KEYS', '*')).split(',');
    const own = all.filter((key) => !key.includes(':epoch:')).toSorted();
    return `${own.join()} ${String(await server().command('DEBUG', 'DIGEST-VALUE', ...own))}`;
  };
  const self = (name: string): PortWorker['self'] => ({ id: `${name}:1`, name, leaseMs: 5_000 });
  const job = plainJob;
  const searched = { ...job, id: 'n4', searchedBy: ['user', 'x'] };
  const grouped = { ...job, id: 'n3', group: 'h', priority: 10 };
  const byField: JobFilter = { ...anyJob, status: 'completed', fields: ['user', 'x'] };
  const jobs = [job, { ...job, id: 'n1', topic: 't' }, { ...job, id: 'n2', delayMs: 5 }, grouped, searched];
  const turn = { number: 99, ends: [], free: 20, idle: true, known: undefined };
  const steps: Record<string, (queue: Ports['queue']) => Promise<unknown>> = {
    add: (queue) => queue.add(address, { adder: 'w:1', number: 99, jobs }),
    'turn with ends': (queue) => queue.turn(address, self('w'), { ...turn, ends, idle: false }),
    'turn of another': (queue) => queue.turn(address, self('z'), { ...turn, number: 1 }),
    'turn within limits': (queue) =>
      queue.turn({ ...address, limits: { running: 9, starts: 9, windowMs: 9_000, runningInGroup: 9 } }, self('w'), {
        ...turn,
        ends,
      }),
    'turn after a lost answer': (queue) => queue.turn(address, self('w'), { ...turn, known: [] }),
    renew: (queue) => queue.renew(address, self('w'), ['d']),
    progress: (queue) => queue.progress(address, self('w'), ends[0]?.id ?? '', 1, 0.5),
    leave: (queue) => queue.leave(address, self('x')),
    'cancel of a waiting job': (queue) => queue.cancel(address, 'waits'),
    'cancel of a delayed job': (queue) => queue.cancel(address, 'later'),
    'cancel of a running job': (queue) => queue.cancel(address, ends[0]?.id ?? ''),
    'cancel of a suspect': (queue) => queue.cancel(address, 's'),
    'cancel of a job in a group': (queue) => queue.cancel(address, 'g3'),
    'cancel of a running job in a group': (queue) => queue.cancel(address, 'g1'),
    retry: (queue) => queue.retry(address, failed?.id ?? ''),
    log: (queue) => queue.log(address, self('w'), ends[0]?.id ?? '', 1, ['a line']),
    remove: (queue) => queue.remove(address, failed?.id ?? ''),
    'sweep of all': (queue) =>
      queue.sweep(address, { change: 'retry', filter: { ...anyJob, status: 'failed' } }, undefined, 9),
    'sweep of a topic': (queue) =>
      queue.sweep(address, { change: 'remove', filter: { ...anyJob, status: 'cancelled', topic: 't' } }, undefined, 9),
    'sweep by a field': (queue) => queue.sweep(address, { change: 'remove', filter: byField }, undefined, 9),
    search: (queue) => queue.search(address, byField, undefined, 9),
    drain: (queue) => queue.drain(address, 9),
    'pause of adding': (queue) => queue.pause(address, 'adding', true),
    await: (queue) => queue.awaitEnd(address, 'waits', 'o'),
    now: (queue) => queue.now(address),
    get: (queue) => queue.get(address, 'waits'),
    list: (queue) => queue.list(address, 't', undefined, undefined, 50),
    'dead letters': (queue) => queue.deadLetters(address, undefined, 50),
    counts: (queue) => queue.counts(address),
    totals: (queue) => queue.totals(address),
    days: (queue) => queue.days(address, 2),
    pause: (queue) => queue.pause(address, 'taking', true),
    resume: (queue) => queue.pause(address, 'taking', false),
  };

  it('has keys of every kind, and every step works on it', async () => {
    const kinds = new Set(keys.map((key) => key.replace(/:.*/, '')));
    const expected = ['adds', 'again', 'current', 'dead', 'delayed', 'drain', 'gone', 'held', 'idle', 'job', 'leases'];
    const more = ['notices', 'open', 'sequence', 'stats', 'stream', 'suspects', 'topic', 'turn', 'waiting'];
    const ofGroups = [
      'fresh',
      'grouped',
      'parked',
      'ring',
      'running',
      'compact',
      'drawn',
      'created',
      'values',
      'status',
      'field',
    ];
    expect([...kinds].toSorted()).toEqual([...expected, ...more, ...ofGroups].toSorted());
    for (const [name, step] of Object.entries(steps)) {
      await server().command('EVAL', restore, '0', prefix);
      expect(await step(ports.queue), name).not.toBe(false);
    }
    await server().command('EVAL', restore, '0', prefix);
    const reply = await ports.queue.turn(address, self('w'), { ...turn, ends });
    expect([reply.ends, reply.alone]).toEqual([['done', 'done', 'done', 'done'], true]);
  });

  it('does a step wholly or not at all, with a key of another type in its way', { timeout: 60_000 }, async () => {
    const refused = new Set<string>();
    const spoil = async (key: string): Promise<unknown> => {
      await server().command('EVAL', restore + replace, '0', prefix, key);
      return digest();
    };
    for (const key of keys) {
      const spoiled = await spoil(key);
      for (const [name, step] of Object.entries(steps)) {
        if ((await digest()) !== spoiled) await spoil(key);
        const code = await step(ports.queue).then(
          () => 'done',
          (error: { code?: string }) => error.code,
        );
        expect(code, `${name} with ${key}`).toMatch(/^(?:done|CorruptState)$/);
        if (code === 'done') continue;
        expect(await digest(), `${name} with ${key} left something`).toBe(spoiled);
        refused.add(`${name} ${key.replace(/:.*/, '')}`);
      }
    }
    for (const key of [
      'idle',
      'held',
      'leases',
      'delayed',
      'suspects',
      'waiting',
      'stream',
      'again',
      'gone',
      'current',
      'dead',
      'open',
      'stats',
      'turn',
      'drain',
      'ring',
      'parked',
      'running',
      'grouped',
    ]) {
      expect(refused).toContain(`turn with ends ${key}`);
    }
    for (const key of [
      'adds',
      'stream',
      'waiting',
      'idle',
      'stats',
      'sequence',
      'topic',
      'open',
      'delayed',
      'ring',
      'fresh',
      'created',
      'values',
    ]) {
      expect(refused).toContain(`add ${key}`);
    }
  });

  it('does a step wholly or not at all, with a total that is no number', async () => {
    for (const key of keys.filter((name) => name.startsWith('stats:tasks') || name === 'sequence')) {
      for (const [name, step] of Object.entries(steps)) {
        await server().command('EVAL', restore, '0', prefix);
        await server().command('SET', prefix + key, 'many');
        const before = await digest();
        const code = await step(ports.queue).then(
          () => 'done',
          (error: { code?: string }) => error.code,
        );
        expect(code, `${name} with ${key}`).toMatch(/^(?:done|CorruptState)$/);
        if (code !== 'done') expect(await digest(), `${name} with ${key} left something`).toBe(before);
      }
    }
  });

  it('counts a job whose record was replaced as failed, leaves the record alone, and runs its neighbours', async () => {
    const running = ends[0]?.id ?? '';
    for (const id of ['waits', 'due', 's', 'o', running]) await server().command('SET', `${prefix}job:${id}`, 'mine');
    const before = await ports.queue.totals(address);
    const worker = new PortWorker(ports, 'z', address);
    const own = await ports.queue.turn(address, self('w'), { ...turn, ends, idle: false });
    expect(own.ends).toEqual(['superseded', 'done', 'done', 'done']);
    const taken: string[] = [];
    for (let round = 0; round < 4; round++) {
      const { jobs: claimed } = await worker.turn(20);
      taken.push(...claimed.map((each) => each.id));
      await worker.hand(...claimed.map((each) => endOf(each, 'complete')));
      await engine.advance(2_000);
    }
    expect(taken).toContain('l');
    expect(taken).not.toContain('waits');
    expect(await ports.queue.counts(address)).toMatchObject({ pending: 0, processing: 0 });
    expect((await ports.queue.totals(address)).failed).toBe(before.failed + 5 + 1);
    for (const id of ['waits', 'due', 's', 'o']) {
      expect(await server().command('GET', `${prefix}job:${id}`)).toBe('mine');
      await expect(ports.queue.get(address, id)).rejects.toMatchObject({ code: 'CorruptState' });
    }
    expect((await ports.queue.list(address, 't', undefined, undefined, 50)).jobs.map((each) => each.id)).not.toContain(
      'o',
    );
  });
});
