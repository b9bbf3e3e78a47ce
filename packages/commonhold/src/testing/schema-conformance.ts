import assert from 'node:assert/strict';
import type { InvalidValueError } from '../errors.js';
import type { SharedState } from '../shared-state.js';
import type { Engine, EngineKind } from './engine.js';
import { countSchema, laterSchema, type Page, pageSchema } from './page-schema.js';
import { describeSuite, type DeclareTest, type TestRunner } from './suite.js';
import { waitUntil } from './waiting.js';

const invalid = { code: 'InvalidValue' };
/** What a page becomes where a schema is applied. */
const given = { title: ' Home ', extra: 'dropped' } as unknown as Page;
const page: Page = { title: 'Home', views: 0 };
/** What is no page, as another version may have written it. */
const secret = { title: 1234567, views: 'secret' };
const unfit = secret as unknown as Page;

/** What a schema does to the values of every feature that has one. */
export function schemaConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'schemas', (test) => {
    declareErrors(test);
    declareCache(test);
    declareMap(test);
    declareChannel(test);
    declareQueue(test);
    declareSessions(test);
    declareRunOnce(test);
  });
}

function declareErrors(test: DeclareTest): void {
  test('a value that does not fit is refused before anything is sent; the error names places and quotes nothing', async (engine) => {
    const map = (await engine.open()).map('m', { schema: pageSchema });
    const error = await map.set('home', unfit).then(
      () => assert.fail('it was taken'),
      (reason: unknown) => reason as InvalidValueError,
    );
    assert.equal(error.code, 'InvalidValue');
    assert.equal(error.message, 'A value of map m, key home, does not fit its schema, at title, views');
    assert.deepEqual(error.issues, [
      { path: 'title', message: 'not a title: 1234567' },
      { path: 'views', message: 'not a number: secret' },
    ]);
    assert.equal(JSON.stringify(error).includes('secret'), false);
    assert.equal(await map.has('home'), false);
  });

  test('what is no schema is refused when it is given, one that answers later when it is used', async (engine) => {
    const state = await engine.open();
    for (const schema of [{}, 7, { '~standard': { version: 2, validate: () => ({}) } }, null]) {
      const refused = { schema } as unknown as { schema: typeof pageSchema };
      assert.throws(() => state.cache('c', refused), { code: 'InvalidArgument' });
      assert.throws(() => state.queue('q', refused), { code: 'InvalidArgument' });
      assert.throws(() => state.queue('q', { resultSchema: schema } as unknown as object), { code: 'InvalidArgument' });
    }
    assert.throws(() => state.sessions('s', { schema: pageSchema as never }), { code: 'InvalidArgument' });
    await assert.rejects(state.map('m', { schema: laterSchema }).set('k', 1), { code: 'InvalidArgument' });
    const throwing = { '~standard': { version: 1, vendor: 'x', validate: () => assert.fail('thrown') } } as const;
    await assert.rejects(state.map('n', { schema: throwing }).set('k', 1), invalid);
  });
}

function declareCache(test: DeclareTest): void {
  test('cache: gives and stores what the schema gives; what does not fit is a miss, counted and computed anew', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const [raw, pages] = [plain.cache<unknown>('c'), state.cache('c', { schema: pageSchema })];
    await pages.set('a', given);
    await pages.setMany([['b', given]]);
    assert.deepEqual(await raw.get('a'), page);
    assert.deepEqual(
      [...(await pages.getMany(['a', 'b']))],
      [
        ['a', page],
        ['b', page],
      ],
    );
    await assert.rejects(pages.set('a', unfit), invalid);
    await assert.rejects(
      pages.setMany([
        ['a', page],
        ['b', unfit],
      ]),
      invalid,
    );
    assert.deepEqual(await pages.get('a'), page);

    await raw.set('a', secret);
    const before = pages.stats();
    assert.equal(await pages.get('a'), undefined);
    assert.deepEqual((await pages.getMany(['a'])).missing, ['a']);
    const { misses, unreadable } = pages.stats();
    assert.deepEqual([misses - before.misses, unreadable - before.unreadable], [2, 2]);
    assert.deepEqual(await pages.getOrSet('a', () => given), page);
    assert.deepEqual(await raw.get('a'), page);
    await assert.rejects(
      pages.getOrSet('new', () => unfit),
      invalid,
    );
    assert.equal(await raw.get('new'), undefined);
    assert.deepEqual(await pages.getOrSet('new', () => given), page);
  });

  test('cache: that there is nothing fits every schema', async (engine) => {
    const pages = (await engine.open()).cache<Page | undefined>('c', { schema: pageSchema, absentTtl: '1m' });
    assert.equal(await pages.getOrSet('none', () => undefined), undefined);
    assert.equal(await pages.getOrSet('none', () => page), undefined);
    assert.equal(pages.stats().unreadable, 0);
  });

  test('cache: a stale value is given when what was computed does not fit', async (engine) => {
    const pages = (await engine.open()).cache('c', { schema: pageSchema, staleFor: '1h', softTimeout: Infinity });
    await pages.set('a', page);
    await pages.expire('a');
    assert.deepEqual(await pages.getOrSet('a', () => unfit), page);
  });
}

function declareMap(test: DeclareTest): void {
  test('map: reads name the key that does not fit; pages leave it out; update gives what was stored', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const [raw, map] = [plain.map<unknown>('m'), state.map('m', { schema: pageSchema })];
    await map.set('a', given);
    assert.equal(await map.add('b', given), true);
    await map.setMany([['c', given]]);
    assert.deepEqual(
      await raw.getMany(['a', 'b', 'c']),
      new Map([
        ['a', page],
        ['b', page],
        ['c', page],
      ]),
    );
    assert.deepEqual(await map.update('a', () => given), page);
    assert.deepEqual(await map.update('a', (found) => ({ ...(found as Page), views: 1 })), { title: 'Home', views: 1 });
    await assert.rejects(
      map.update('a', () => unfit),
      invalid,
    );
    assert.deepEqual(await map.get('a'), { title: 'Home', views: 1 });

    await raw.set('b', secret);
    for (const read of [map.get('b'), map.getEntry('b'), map.getMany(['a', 'b']), map.update('b', (found) => found)]) {
      await assert.rejects(read, /^InvalidValueError: A value of map m, key b, does not fit its schema/);
    }
    const { entries } = await map.page();
    assert.deepEqual(entries.map(({ key }) => key).toSorted(), ['a', 'c']);
    await map.set('b', page);
    assert.deepEqual(await map.get('b'), page);
  });

  test('map: listeners and replicas never see what does not fit', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const raw = plain.map<unknown>('m', { changes: true });
    const map = state.map('m', { changes: true, schema: pageSchema });
    await raw.set('bad', secret);
    const seen: unknown[] = [];
    let resyncs = 0;
    await map.subscribe((change) => void seen.push(change.type === 'set' ? change.value : change.type), {
      onResync: () => void resyncs++,
    });
    const replica = await map.replica();
    assert.equal(replica.size, 0);
    await raw.set('a', page);
    await raw.set('a', secret);
    await raw.set('b', page);
    await waitUntil('all changes', () => seen.length === 2 && replica.has('b'));
    assert.deepEqual(seen, [page, page]);
    assert.equal(resyncs, 1);
    assert.equal(replica.has('a'), false);
  });
}

function declareChannel(test: DeclareTest): void {
  test('channel: what does not fit is not published; one that another published is skipped, with a resync', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const [raw, channel] = [plain.channel<unknown>('c'), state.channel('c', { schema: pageSchema })];
    const seen: Page[] = [];
    let resyncs = 0;
    await channel.subscribe((message) => void seen.push(message), { onResync: () => void resyncs++ });
    await assert.rejects(channel.publish(unfit), invalid);
    await raw.publish(secret);
    await channel.publish(given);
    await waitUntil('the page', () => seen.length === 1);
    assert.deepEqual([seen, resyncs], [[page], 1]);
    const { messages, complete } = await channel.history();
    assert.deepEqual([messages.map(({ message }) => message), complete], [[page], false]);
  });

  test('channel: what the schema gives is published as JSON', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const raw = plain.channel<unknown>('c', { format: 'json' });
    await state.channel('c', { format: 'json', schema: pageSchema }).publish(given);
    assert.deepEqual(
      (await raw.history()).messages.map(({ message }) => message),
      [page],
    );
  });
}

function declareQueue(test: DeclareTest): void {
  test('queue: jobs that do not fit are not added, and those of others fail at once, with the reason', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const raw = plain.queue<unknown, number>('q', { attempts: 5 });
    const queue = state.queue('q', { attempts: 5, schema: pageSchema, resultSchema: countSchema });
    await assert.rejects(queue.add(unfit), invalid);
    await assert.rejects(queue.addMany([{ data: page }, { data: unfit }]), invalid);
    assert.equal((await queue.counts()).pending, 0);
    const bad = await raw.add(secret);
    const good = await queue.add(given);
    const seen: Page[] = [];
    queue.work(({ data }) => seen.push(data));
    assert.equal(await good.result(), 1);
    assert.deepEqual(seen, [page]);
    await assert.rejects(bad.result(), { code: 'JobFailed' });
    const failed = await raw.get(bad.id);
    assert.deepEqual([failed?.status, failed?.attempts], ['failed', 1]);
    assert.match(failed?.error ?? '', /InvalidValueError: Job .* does not fit its schema, at title, views/);
    await assert.rejects(queue.get(bad.id), invalid);
  });

  test('queue: a result that does not fit fails its job, with no further attempt', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const queue = state.queue<Page, number>('q', { attempts: 5, resultSchema: countSchema });
    const job = await queue.add(page);
    queue.work(() => 0.5);
    await assert.rejects(job.result(), { code: 'JobFailed', message: /does not fit its schema/ });
    assert.equal((await plain.queue<Page, number>('q').get(job.id))?.attempts, 1);
  });
}

function declareSessions(test: DeclareTest): void {
  test('sessions: each field by its schema; one with a field that does not fit opens nothing', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const raw = plain.sessions('s');
    const sessions = state.sessions('s', { schema: { page: pageSchema, visits: countSchema } });
    const { token, session } = await sessions.create({ data: { page: given, visits: 1 } });
    assert.deepEqual(session.data, { page, visits: 1 });
    await assert.rejects(sessions.set(token, { visits: 0.5 }), /Field visits of sessions s does not fit its schema/);
    await assert.rejects(sessions.create({ data: { other: 1 } as object }), { code: 'InvalidArgument' });
    await assert.rejects(
      sessions.update(token, () => ({ page: unfit })),
      invalid,
    );
    assert.equal((await sessions.update(token, ({ visits = 0 }) => ({ visits: visits + 1 })))?.data.visits, 2);

    await raw.set(token, { theme: 'of a newer version' });
    assert.deepEqual((await sessions.read(token)).session?.data, { page, visits: 2 });
    await sessions.set(token, { theme: undefined } as object);
    assert.equal('theme' in ((await raw.read(token)).session?.data ?? {}), false);

    await raw.set(token, { visits: 'secret' });
    assert.deepEqual(await sessions.read(token), { session: undefined, reason: 'absent' });
    assert.equal(await sessions.revoke(token), true);
  });
}

function declareRunOnce(test: DeclareTest): void {
  test('run-once: a result that does not fit is not kept, and the next one works', async (engine) => {
    const [plain, state] = await twoStates(engine);
    const runs = state.runOnce('r', { schema: pageSchema });
    await assert.rejects(
      runs.run('k', () => unfit),
      invalid,
    );
    assert.deepEqual(await runs.run('k', () => given), page);
    assert.deepEqual(await runs.run('k', () => assert.fail('it was kept')), page);
    await plain.runOnce<unknown>('r').run('other', () => secret);
    await assert.rejects(
      runs.run('other', () => page),
      invalid,
    );
    await assert.rejects(runs.get('other'), invalid);
  });
}

async function twoStates(engine: Engine): Promise<[plain: SharedState, checked: SharedState]> {
  return [await engine.open(), await engine.open()];
}
