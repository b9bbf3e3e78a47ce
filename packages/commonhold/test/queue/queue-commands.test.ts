import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Queue } from '../../src/queue/queue.js';
import { countCommands } from '../../src/testing/command-count.js';
import { type Engine, redisEngine } from '../../src/testing/engine.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

describe('commands of a queue', () => {
  const server = useServer();
  let engine: Engine;
  beforeEach(async () => {
    engine = await redisEngine(server()).start();
  });
  afterEach(() => engine.close());

  const open = async (options = {}): Promise<Queue<number>> => (await engine.open()).queue<number>('q', options);
  /** Commands without the hashes of scripts. A script's first run in a server's life needs its text as well. */
  const count = async (work: () => Promise<unknown>): Promise<string[]> =>
    (await countCommands(server(), work, { ignore: ['EVAL'] })).map((command) => command.replace(/ .*/, ''));
  const script = ['EVALSHA'];

  it('S4.8, S4.17: adds one job, or a hundred of one turn, with one', async () => {
    const queue = await open();
    const hundred = Array.from({ length: 100 }, (_, data) => data);
    expect(await count(() => queue.add(1))).toEqual(script);
    expect(await count(() => Promise.all(hundred.map((n) => queue.add(n))))).toEqual(script);
    expect(await count(() => queue.addMany(hundred.map((data) => ({ data, priority: data % 11 }))))).toEqual(script);
    expect(await count(() => queue.addMany(hundred.map((data) => ({ data, topic: 't' }))))).toEqual(script);
    expect(await count(() => queue.addMany([]))).toEqual([]);
    expect(
      await count(() =>
        queue.addMany([...hundred, ...hundred, ...hundred, ...hundred, ...hundred, 1].map((data) => ({ data }))),
      ),
    ).toEqual([...script, ...script]);
  });

  it('reads, lists, counts, cancels, sends again and pauses with one each', async () => {
    const queue = await open({ attempts: 1 });
    const [compact, recorded] = await queue.addMany([{ data: 1 }, { data: 2, topic: 't' }, { data: 3, delay: '1h' }]);
    const { id } = await queue.add(4, { id: 'bad' });
    const searched = (await engine.open()).queue<{ n: number }>('searched', { fields: ['n'] });
    await searched.add({ n: 1 });
    const once: Record<string, () => Promise<unknown>> = {
      'get of a compact job': () => queue.get(compact?.id ?? ''),
      'get of a recorded job': () => queue.get(recorded?.id ?? ''),
      list: () => queue.list('t'),
      search: () => searched.search({ fields: { n: 1 }, status: 'pending' }),
      'retry by a filter': () => searched.retryMany({ fields: { n: 1 } }),
      'list by status': () => queue.list('t', { status: 'failed' }),
      'dead letters': () => queue.deadLetters(),
      counts: () => queue.counts(),
      totals: () => queue.totals(),
      days: () => queue.daily(30),
      cancel: () => queue.cancel(compact?.id ?? ''),
      retry: () => queue.retry(id),
      'retry of many': () => queue.retryMany(),
      'removal of many': () => queue.removeMany({ status: 'completed', topic: 't' }),
      remove: () => queue.remove(compact?.id ?? ''),
      'pause of adding': () => queue.pause('adding'),
      'resuming of adding': () => queue.resume('adding'),
      drain: () => queue.drain(),
      pause: () => queue.pause(),
      resume: () => queue.resume(),
    };
    for (const [name, work] of Object.entries(once)) expect(await count(work), name).toEqual(script);
    const trip = await count(() => Promise.all([queue.get('a'), queue.get('b'), queue.cancel('c'), queue.counts()]));
    expect(trip).toEqual([...script, ...script, ...script, ...script]);
  });

  it('looks at 500 jobs a step, and obliterates what one look at the keys found with one more', async () => {
    const state = await engine.open();
    const queue = state.queue<number>('q');
    await queue.addMany(Array.from({ length: 1_001 }, (_, data) => ({ data })));
    expect(await count(() => queue.drain())).toEqual([...script, ...script, ...script]);
    await queue.add(1, { id: 'own', topic: 't' });
    const commands = await count(() => queue.obliterate());
    expect(commands.filter((command) => !['SCAN', 'UNLINK', 'XTRIM'].includes(command))).toEqual([]);
    expect(commands.filter((command) => command === 'UNLINK').length).toBeLessThanOrEqual(commands.length / 2);
    expect(await server().command('KEYS', `${state.namespace}:queue:*`)).toEqual([
      `${state.namespace}:queue:{q}:stream:5`,
    ]);
    expect(await server().command('XLEN', `${state.namespace}:queue:{q}:stream:5`)).toBe(0);
  });

  it('processes jobs with far less than one each', async () => {
    const [queue, other] = [await open(), await open()];
    const jobs = Array.from({ length: 1_000 }, (_, data) => ({ data }));
    const work = async (): Promise<void> => {
      const worker = queue.work(() => undefined, { concurrency: 10 });
      await eventually(async () => expect(worker.running + (await other.counts()).pending).toBe(0));
      await worker.close();
    };
    await queue.addMany(jobs);
    const quick = (await count(work)).length;
    expect(quick).toBeLessThan(150);
    await queue.addMany(jobs.slice(0, 200));
    const slow = await count(async () => {
      const worker = queue.work(() => pause(5), { concurrency: 10 });
      await eventually(async () => expect((await other.totals()).completed).toBe(1_200), { everyMs: 100 });
      await worker.close();
    });
    expect(slow.length).toBeLessThan(100);
  });

  it('starts a job with one trip from its arrival, and hands it in with one more', async () => {
    const [adder, queue] = [await open(), await open()];
    const worker = queue.work(() => undefined);
    await pause(100);
    const commands = await count(async () => {
      await adder.add(1);
      await pause(60);
    });
    // A look that the backstop makes may fall into it.
    expect(commands.length).toBeGreaterThanOrEqual(3);
    expect(commands.length).toBeLessThanOrEqual(4);
    await worker.close();
  });

  it('S4.17: looks about once a second while there is nothing to do', async () => {
    const queue = await open();
    const workers = Array.from({ length: 5 }, () => queue.work(() => undefined));
    await pause(100);
    const commands = await count(() => pause(2_000));
    expect(commands.length).toBeGreaterThanOrEqual(9);
    expect(commands.length).toBeLessThanOrEqual(21);
    await Promise.all(workers.map((worker) => worker.close()));
  });

  it('keeps a lease and notes progress with one each', async () => {
    const queue = await open();
    const { id } = await queue.add(1);
    let note: (fraction: number) => void = () => undefined;
    let finish: () => void = () => undefined;
    const worker = queue.work((_, { progress }) => {
      note = progress;
      return new Promise<void>((resolve) => (finish = resolve));
    });
    await eventually(async () => expect((await queue.get(id))?.status).toBe('processing'));
    const quiet = await count(() => pause(2_000));
    expect(quiet.length).toBeGreaterThanOrEqual(2);
    expect(quiet.length).toBeLessThanOrEqual(5);
    const noted = await count(async () => {
      for (const fraction of [0.1, 0.2, 0.3, 0.4, 0.5]) note(fraction);
      await eventually(async () => expect((await queue.get(id))?.progress).toBe(0.5), { everyMs: 30 });
    });
    expect(noted.length).toBeLessThanOrEqual(5);
    finish();
    await worker.close();
  });

  it('writes the lines of one turn to a log with one', async () => {
    const queue = await open();
    let write: (text: string) => void = () => undefined;
    const worker = queue.work((_, { log, signal }) => {
      write = log;
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    });
    const { id } = await queue.add(1);
    await eventually(async () => expect((await queue.get(id))?.status).toBe('processing'));
    write('the first run needs the text of the script');
    await pause(50);
    const commands = await count(async () => {
      for (let line = 0; line < 50; line++) write(`line ${line}`);
      await pause(20);
    });
    // A renewal or a look may fall into it.
    expect(commands.length).toBeGreaterThanOrEqual(1);
    expect(commands.length).toBeLessThanOrEqual(2);
    await worker.close({ grace: 1 });
  });

  it('waits for a job with one, and one more when it has ended', async () => {
    const [queue, other] = [await open(), await open()];
    const added = await queue.add(1);
    const waiting: Promise<unknown>[] = [];
    const begun = await count(async () => {
      waiting.push(added.result());
      await pause(30);
    });
    expect(begun).toEqual(script);
    const worker = other.work(() => undefined);
    await Promise.all(waiting);
    await worker.close();
    expect(await count(() => added.result())).toEqual(script);
    expect(await count(() => queue.waitFor('absent'))).toEqual(script);
  });

  it('has a schedule look at the clock before and after a tick, and add its job with one', async () => {
    const state = await engine.open();
    const queue = state.queue<number>('q');
    queue.schedule('beat', { every: '1s' }, 1);
    await eventually(async () => expect((await queue.totals()).total).toBe(1));
    await pause(30);
    const commands = await count(() => pause(1_000));
    expect(commands.length).toBeGreaterThanOrEqual(3);
    expect(commands.length).toBeLessThanOrEqual(4);
  });

  it('adds a compact job with 14 commands inside its step, and processes many with about 5 each', async () => {
    const queue = await open();
    await queue.add(1);
    await queue.add(1);
    expect(await innerCalls(() => queue.add(1))).toBeLessThanOrEqual(14);
    await queue.addMany(Array.from({ length: 1_000 }, (_, data) => ({ data })));
    const calls = await innerCalls(async () => {
      let ran = 0;
      const worker = queue.work(() => void ran++, { concurrency: 10 });
      await eventually(() => expect(ran).toBe(1_003));
      await worker.close();
    });
    expect(calls / 1_003).toBeLessThan(6.5);
  });

  it('takes a job of a group with as many commands however many groups there are', async () => {
    const queue = await open();
    const perJob = async (groups: number): Promise<number> => {
      const jobs = Array.from({ length: 600 }, (_, data) => ({ data, group: `g${data % groups}` }));
      await queue.addMany(jobs);
      const calls = await innerCalls(async () => {
        let ran = 0;
        const worker = queue.work(() => void ran++, { concurrency: 10 });
        await eventually(() => expect(ran).toBe(jobs.length));
        await worker.close();
      });
      return calls / jobs.length;
    };
    await perJob(1);
    const few = await perJob(3);
    expect(few).toBeLessThan(25);
    expect(await perJob(600)).toBeLessThan(1.3 * few);
    const commands = await count(() => queue.addMany([1, 2, 3].map((data) => ({ data, group: `g${data}` }))));
    expect(commands).toEqual(script);
  });

  it('keeps a waiting job of 78 bytes in less than 100', async () => {
    const state = await engine.open();
    const queue = state.queue<string>('q');
    await queue.addMany(Array.from({ length: 4_800 }, () => ({ data: 'x'.repeat(76) })));
    let bytes = 0;
    for (const key of (await server().command('KEYS', `${state.namespace}:queue:*`)) as string[]) {
      if (!key.includes(':adds:')) bytes += Number(await server().command('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
    }
    expect(bytes / 4_800).toBeGreaterThan(78);
    expect(bytes / 4_800).toBeLessThan(100);
  });

  /** Commands that scripts ran meanwhile. */
  async function innerCalls(work: () => Promise<unknown>): Promise<number> {
    const calls = async (): Promise<number> => {
      const text = String(await server().command('INFO', 'commandstats'));
      const counts = [...text.matchAll(/cmdstat_(?!eval|info|script|memory|keys|ping)[^:]+:calls=(\d+)/g)];
      return counts.reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const before = await calls();
    await work();
    return (await calls()) - before;
  }

  it('hands in ends of one moment together', async () => {
    const queue = await open();
    await queue.addMany(Array.from({ length: 20 }, (_, data) => ({ data })));
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const worker = queue.work(() => gate, { concurrency: 20 });
    await eventually(() => expect(worker.running).toBe(20));
    const commands = await count(async () => {
      release();
      await eventually(() => expect(worker.running).toBe(0));
      await worker.close();
    });
    expect(commands).toEqual(expect.arrayContaining(['EVALSHA', 'ZREM']));
    expect(commands.length).toBeLessThanOrEqual(4);
  });
});
