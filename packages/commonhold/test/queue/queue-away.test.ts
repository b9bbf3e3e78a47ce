import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { OpenOptions } from '../../src/options.js';
import type { QueueOptions } from '../../src/queue/queue-options.js';
import type { SharedState } from '../../src/shared-state.js';
import { eventually, pause } from '../../src/testing/waiting.js';
import { useFolder } from '../backend/resilient/journals.js';
import { type OutageSite, useOutages } from '../outage.js';

const startOutage = useOutages();
const folder = useFolder();
const spooling = (more: object = {}): OpenOptions => ({ journal: { file: join(folder(), 'journal'), ...more } });

/** What ran, in order, once all of a queue is done. */
async function runAll(state: SharedState, name: string, total: number, options: QueueOptions = {}): Promise<unknown[]> {
  const ran: unknown[] = [];
  const worker = state.queue(name, options).work(({ data }) => void ran.push(data));
  await eventually(() => expect(ran.length).toBeGreaterThanOrEqual(total), { timeoutMs: 20_000 });
  await pause(50);
  await worker.close();
  return ran;
}

async function openSpooling(more: object = {}): Promise<{ site: OutageSite; state: SharedState }> {
  const site = await startOutage();
  return { site, state: await site.open(spooling(more)) };
}

describe('a queue without Redis, with a journal file', () => {
  it('takes jobs, and brings each to Redis once when that is back, in order', async () => {
    const { site, state } = await openSpooling();
    const queue = state.queue<number>('q');
    const before = await queue.add(0);
    expect(before).toMatchObject({ accepted: 'stored', duplicate: false });
    await site.leave();
    const sinceMs = Date.now();
    const one = await queue.add(1);
    const many = await queue.addMany([2, 3, 4].map((data) => ({ data })));
    expect([one, ...many].map(({ accepted }) => accepted)).toEqual(['spooled', 'spooled', 'spooled', 'spooled']);
    expect(state.status()).toMatchObject({ connected: false, spool: { entries: 4, lostBytes: 0 } });
    expect(state.status().spool?.oldestAtMs).toBeGreaterThanOrEqual(sinceMs);
    await expect(queue.get(one.id)).rejects.toMatchObject({ code: 'Unavailable' });
    await site.comeBack();
    await eventually(() => expect(state.status().spool).toBeUndefined());
    expect((await queue.get(one.id))?.data).toBe(1);
    expect(await queue.totals()).toMatchObject({ total: 5 });
    expect(await runAll(state, 'q', 5)).toEqual([0, 1, 2, 3, 4]);
    expect(site.log.lines).toContain('Spooled jobs were brought to Redis');
  });

  it('takes a job of an id once, however often it is added, and whether or not Redis had it', async () => {
    const { site, state } = await openSpooling();
    const queue = state.queue<string>('q');
    await queue.add('there', { id: 'known' });
    await site.leave();
    const again = await Promise.all([1, 2].flatMap(() => ['known', 'new'].map((id) => queue.add('again', { id }))));
    expect(again.map(({ id, accepted }) => `${id} ${accepted}`)).toContain('known spooled');
    await site.comeBack();
    expect(new Set(await runAll(state, 'q', 2))).toEqual(new Set(['again', 'there']));
    expect(await queue.totals()).toMatchObject({ total: 2, completed: 2 });
  });

  it('takes a job of which Redis may have heard, and runs it once', async () => {
    const { site, state } = await openSpooling();
    const queue = state.queue<number>('q');
    await queue.add(0);
    // It reads what was sent when it goes on.
    site.server.pause();
    const hung = await Promise.all([1, 2, 3].map((data) => queue.add(data)));
    expect(hung.map(({ accepted }) => accepted)).toEqual(['spooled', 'spooled', 'spooled']);
    site.server.resume();
    await eventually(() => expect(state.status()).toMatchObject({ connected: true }), { timeoutMs: 20_000 });
    await eventually(() => expect(state.status().spool).toBeUndefined());
    expect(await runAll(state, 'q', 4)).toEqual([0, 1, 2, 3]);
    expect(await queue.totals()).toMatchObject({ total: 4, completed: 4 });
  });

  it('keeps what was said of a job: priority, group, topic, bytes, fields; and the time until it is due goes on', async () => {
    const { site, state } = await openSpooling();
    const hash = state.queue<object>('hash', { record: 'hash' });
    const other = state.queue<unknown>('q', { fields: ['kind'], deadline: '1h' });
    await site.leave();
    const atMs = Date.now();
    const plain = await hash.add({ user: 'ada', pages: 3 }, { topic: 'ada', priority: 9 });
    const soon = await other.add({ kind: 'soon' }, { delay: '2s', group: 'g', attempts: 7 });
    const late = await other.add({ kind: 'late' }, { delay: '1h', deadline: '2h' });
    const bytes = await other.add(Uint8Array.of(0, 10, 255));
    await pause(500);
    await site.comeBack();
    await eventually(() => expect(state.status().spool).toBeUndefined());
    expect(await hash.get(plain.id)).toMatchObject({ topic: 'ada', priority: 9, data: { user: 'ada', pages: 3 } });
    expect(await site.server.command('HGET', `n:queue:{hash}:job:${plain.id}`, 'user')).toBe('ada');
    expect((await other.search({ fields: { kind: 'late' } })).jobs.map(({ id }) => id)).toEqual([late.id]);
    expect((await other.get(bytes.id))?.data).toEqual(Buffer.of(0, 10, 255));
    expect(await other.get(late.id)).toMatchObject({ status: 'delayed' });
    const options = JSON.parse(String(await site.server.command('HGET', `n:queue:{q}:job:${late.id}`, 'options')));
    expect(options.deadlineMs).toBeLessThan(7_200_000 - 400);
    const ran: number[] = [];
    other.work(({ id, group }) => void (id === soon.id && group === 'g' && ran.push(Date.now() - atMs)));
    await eventually(() => expect(ran).toHaveLength(1), { timeoutMs: 20_000 });
    expect(ran[0]).toBeGreaterThanOrEqual(1_990);
  });

  it('adds what a process left on disk when the next one opens the file, for views of it too', async () => {
    const site = await startOutage();
    await site.server.kill();
    const first = await openState({ namespace: 'n', redis: site.server.url, log: site.log, ...spooling() });
    const tenant = { namespace: 'Räume: 1' };
    const spooled = await first.queue<number>('q').add(1);
    await first.with(tenant).queue<number>('q').add(2);
    await first.close();
    expect(await readdir(folder())).toHaveLength(1);
    const next = await site.open(spooling());
    expect(next.status().spool).toMatchObject({ entries: 2 });
    await next.queue<number>('q').add(3);
    await site.comeBack();
    expect(await runAll(next, 'q', 2)).toEqual([1, 3]);
    expect((await next.queue<number>('q').get(spooled.id))?.status).toBe('completed');
    expect(await runAll(next.with(tenant), 'q', 1)).toEqual([2]);
    await next.close();
    expect(await readdir(folder())).toEqual([]);
  });

  it('refuses jobs beyond its bound, in a whole batch, and takes them again when there is room', async () => {
    const { site, state } = await openSpooling({ maxFileBytes: 2_000 });
    const queue = state.queue<string>('q');
    await site.leave();
    await queue.add('x'.repeat(1_000));
    const more = queue.addMany([{ data: 'small' }, { data: 'y'.repeat(1_500) }]);
    await expect(more).rejects.toMatchObject({ code: 'Overloaded' });
    expect(state.status().spool).toMatchObject({ entries: 1, maxBytes: 2_000 });
    await site.comeBack();
    await eventually(() => expect(state.status().spool).toBeUndefined());
    await site.leave();
    expect(await queue.add('z'.repeat(1_000))).toMatchObject({ accepted: 'spooled' });
    await site.comeBack();
    expect(await runAll(state, 'q', 2)).toEqual(['x'.repeat(1_000), 'z'.repeat(1_000)]);
  });

  it('keeps the jobs of a queue that takes none, and brings those of the others', async () => {
    const { site, state } = await openSpooling();
    const [paused, open] = [state.queue<number>('paused'), state.queue<number>('open')];
    await paused.pause('adding');
    await site.leave();
    for (const n of [1, 2, 3]) await Promise.all([paused.add(n), open.add(n)]);
    await site.comeBack();
    expect(await runAll(state, 'open', 3)).toEqual([1, 2, 3]);
    expect(state.status()).toMatchObject({ connected: true, spool: { entries: 3 } });
    await paused.resume('adding');
    expect(await runAll(state, 'paused', 3)).toEqual([1, 2, 3]);
  });

  it('goes on when its file is removed', async () => {
    const { site, state } = await openSpooling();
    const queue = state.queue<number>('q');
    await site.leave();
    await queue.add(1);
    for (const name of await readdir(folder())) await rm(join(folder(), name));
    await queue.add(2);
    await site.comeBack();
    expect(await runAll(state, 'q', 2)).toEqual([1, 2]);
  });

  it('refuses what only Redis can promise, and what was to be refused', async () => {
    const { site, state } = await openSpooling();
    const queue = state.queue<number>('q');
    const told = state.queue<number>('told', { away: 'throw' });
    const all = await site.open({ ...spooling(), away: 'throw' });
    expect((await all.queue<number>('q').add(1)).id).toMatch(/^5-/);
    const lock = await state.lock('l').acquire();
    expect((await told.add(1)).id).toMatch(/^5-/);
    await site.leave();
    await expect(queue.add(1, lock && { guard: lock.guard })).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(all.queue<number>('q').add(1)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await all.queue<number>('taken', { away: 'buffer' }).add(1)).toMatchObject({ accepted: 'spooled' });
    expect([all.awayCounts().get('queue.add'), state.awayCounts().get('queue.add')]).toEqual([1, undefined]);
    await expect(told.add(1)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(state.status().spool).toBeUndefined();
    await site.comeBack();
  });
});

describe('a queue without Redis, without a journal file', () => {
  it('takes no jobs', async () => {
    const site = await startOutage();
    const queue = (await site.open()).queue<number>('q');
    expect(await queue.add(1)).toMatchObject({ accepted: 'stored' });
    await site.leave();
    await expect(queue.add(2)).rejects.toMatchObject({ code: 'Unavailable' });
    await site.comeBack();
    expect(await queue.totals()).toMatchObject({ total: 1 });
  });
});

describe('the option journal', () => {
  it('is read from the environment where it is not given, and refused where no file can be', async () => {
    const site = await startOutage();
    const environment = { COMMONHOLD_JOURNAL_FILE: join(folder(), 'named') };
    const state = await site.open({ environment });
    expect((await readdir(folder())).join(' ')).toMatch(/^named\./);
    await state.close();
    for (const file of ['', join(folder(), 'absent', 'journal')]) {
      await expect(openState({ redis: site.server.url, journal: { file } })).rejects.toMatchObject({
        code: 'InvalidArgument',
      });
    }
    await using memory = await openState({ redis: false, journal: { file: join(folder(), 'unused') } });
    expect(await memory.queue<number>('q').add(1)).toMatchObject({ accepted: 'stored' });
    expect(await readdir(folder())).toEqual([]);
  });
});
