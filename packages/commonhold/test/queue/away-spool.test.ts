import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { JournalFolder } from '../../src/backend/resilient/journal-folder.js';
import { OutcomeUnknownError, UnavailableError } from '../../src/errors.js';
import { createOwner } from '../../src/owner.js';
import { JobSpool } from '../../src/queue/away-spool.js';
import type { JobBatch, NewJob, QueueAddress, QueuePort } from '../../src/queue/queue-port.js';
import { systemRandom } from '../../src/random.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';
import { eventually } from '../../src/testing/waiting.js';
import { fileMethods, useFolder } from '../backend/resilient/journals.js';

const folder = useFolder();
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A spool on a disk of its own, with a store whose `add` is given. */
interface Site {
  readonly clock: ManualClock;
  readonly spool: JobSpool;
  readonly files: JournalFolder;
  add(this: void, queue: string, ids: readonly string[], durable?: boolean): Promise<void>;
}

async function openSpool(add: QueuePort['add'], connected = true): Promise<Site> {
  const clock = createManualClock(Date.now());
  const needs = { clock, random: systemRandom, log };
  const files = await JournalFolder.open({
    ...{ ...needs, file: join(folder(), 'journal'), namespace: 'n', maxBytes: 10_000_000 },
  });
  const port: Partial<QueuePort> = { add };
  const spool = new JobSpool({
    ...{ ...needs, folder: files, owner: createOwner(systemRandom, 'p'), deadlineMs: 500 },
    connected: () => connected,
    portOf: () => port as QueuePort,
  });
  return {
    ...{ clock, spool, files },
    add: (name, ids, durable = false) => spool.add('n', addressOf(name), batchOf(ids, durable)),
  };
}

const addressOf = (name: string): QueueAddress => ({
  ...{ name, documented: undefined, notices: false, keepCompletedMs: 0, keepFailedMs: 0, limits: undefined },
});
const batchOf = (ids: readonly string[], durable: boolean): JobBatch => ({
  ...{ adder: 'a', number: 1, durable, spoolable: true },
  jobs: ids.map((id): NewJob => ({
    ...{ id, priority: 5, group: undefined, delayMs: 0, topic: undefined, data: id, options: '' },
    ...{ fields: [], searchedBy: undefined },
  })),
});
const stored = ({ jobs }: JobBatch): { id: string; duplicate: false; accepted: 'stored' }[] =>
  jobs.map(({ id = '' }) => ({ id, duplicate: false, accepted: 'stored' }));

/** Time goes on until it holds. */
async function inTime(clock: ManualClock, holds: () => void): Promise<void> {
  await eventually(
    async () => {
      await clock.advance(100);
      holds();
    },
    { timeoutMs: 10_000 },
  );
}

afterEach(() => void vi.restoreAllMocks());

describe('jobs that wait on disk', () => {
  it('are answered in time, and the state closes, where the disk does not answer', async () => {
    const { clock, spool, files, add } = await openSpool(async (_, batch) => stored(batch));
    const methods = await fileMethods();
    let wake: () => void = () => undefined;
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    vi.spyOn(methods, 'datasync').mockReturnValue(asleep);
    const settled: unknown[] = [];
    const first = add('q', ['first']).catch((error: unknown) => settled.push(error));
    const behind = add('q', ['behind']).catch((error: unknown) => settled.push(error));
    await inTime(clock, () => expect(settled).toHaveLength(2));
    await Promise.all([first, behind]);
    for (const error of settled) expect(error).toMatchObject({ code: 'OutcomeUnknown', retrySafe: false });
    let closed = false;
    const closing = spool.close().then(() => (closed = true));
    await inTime(clock, () => expect(closed).toBe(true));
    await closing;
    // Those are there when it answers after all.
    vi.restoreAllMocks();
    wake();
    await eventually(() => expect(files.own.records.entries).toBe(2));
    await eventually(async () => expect((await readdir(folder())).join(' ')).toMatch(/^journal\.[\w-]{8}\.0\.[\w-]+$/));
  });

  it('are brought when the disk took them too late for an answer', async () => {
    const brought: unknown[] = [];
    const { clock, spool, add } = await openSpool(async (_, batch) => {
      brought.push(...batch.jobs.map(({ id }) => id));
      return stored(batch);
    });
    let wake: () => void = () => undefined;
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    vi.spyOn(await fileMethods(), 'datasync').mockReturnValueOnce(asleep);
    let refused: unknown;
    void add('q', ['late']).catch((error: unknown) => (refused = error));
    await inTime(clock, () => expect(refused).toMatchObject({ code: 'OutcomeUnknown' }));
    wake();
    await inTime(clock, () => expect(brought).toEqual(['late']));
    await spool.close();
  });

  it('go to the part of a store that is there, while another is away, and that is asked now and then', async () => {
    const brought: unknown[] = [];
    let asked = 0;
    const { clock, spool, add } = await openSpool(async ({ name }, batch) => {
      if (name === 'far') {
        asked += 1;
        throw new UnavailableError('queue.add', 'its part is away');
      }
      brought.push(...batch.jobs.map(({ id }) => id));
      return stored(batch);
    }, false);
    for (let n = 0; n < 5; n++) await Promise.all([add('far', [`far ${n}`]), add('near', [`near ${n}`])]);
    await inTime(clock, () => expect(brought).toEqual([0, 1, 2, 3, 4].map((n) => `near ${n}`)));
    asked = 0;
    for (let second = 0; second < 10; second++) {
      await clock.advance(1_000);
      await spool.replay();
    }
    // Ten times by us, and by itself.
    expect(asked).toBeGreaterThanOrEqual(10);
    expect(asked).toBeLessThanOrEqual(40);
    expect(spool.status().spool).toMatchObject({ entries: 5 });
    await spool.close();
  });

  it('are added in order, one step of a queue behind the other, also after one was lost', async () => {
    let lost = 40;
    const brought: unknown[] = [];
    const { clock, spool, files, add } = await openSpool(async (_, batch) => {
      if (batch.durable === true && lost-- > 0) throw new OutcomeUnknownError('queue.add', 'no answer', false);
      brought.push(...batch.jobs.map(({ id }) => id));
      return stored(batch);
    });
    const many = Array.from({ length: 500 }, (_, n) => `many ${n}`);
    await add('q', ['first'], true);
    await add('q', ['second']);
    await add('q', many);
    await add('q', ['last'], true);
    await inTime(clock, () => expect(files.own.records.entries).toBe(0));
    expect(brought).toEqual(['first', 'second', ...many, 'last']);
    await spool.close();
  });

  it('say what was lost of others for as long as the process lives', async () => {
    const before = await openSpool(async () => {
      throw new UnavailableError('queue.add', 'away');
    });
    await before.add('q', ['kept']);
    await before.add('q', ['hurt']);
    const [hurt] = [...before.files.own.records].slice(-1);
    await before.spool.close();
    for (const name of await readdir(folder())) {
      const bytes = await readFile(join(folder(), name));
      bytes[(hurt?.offset ?? 0) + 30] = 0;
      await writeFile(join(folder(), name), bytes);
    }
    const { clock, spool } = await openSpool(async (_, batch) => stored(batch));
    expect(spool.status().spool).toMatchObject({ entries: 1, lostBytes: hurt?.bytes });
    await inTime(clock, () => expect(spool.status().spool?.entries).toBe(0));
    expect(spool.status().spool).toMatchObject({ entries: 0, bytes: 0, lostBytes: hurt?.bytes });
    expect(spool.status().spool?.oldestAtMs).toBeUndefined();
    await spool.close();
  });
});
