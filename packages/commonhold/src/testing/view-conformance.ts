import assert from 'node:assert/strict';
import type { SharedState } from '../shared-state.js';
import type { EngineKind } from './engine.js';
import { describeSuite, type DeclareTest, type TestRunner } from './suite.js';
import { eventLoopTurn } from './waiting.js';

/** Names that begin like others, hold globs, or are those of features. */
const tenants = [
  'a',
  'ab',
  'a:b',
  'a*',
  '*',
  '?',
  '[a]',
  '%61',
  'a%3Ab',
  'cache',
  'wake',
  'ä',
  ' ',
  'a/b',
  '{a}',
  "it's",
  'A',
];

/** What every engine does for tenants: views of one state, each with keys of its own. */
export function viewConformance(runner: TestRunner, kind: () => EngineKind): void {
  describeSuite(runner, kind, 'tenants', (test) => {
    declareIsolation(test);
    declareLife(test);
  });
}

function declareIsolation(test: DeclareTest): void {
  test('each has its own data in every feature, whatever their names', async (engine) => {
    const state = await engine.open();
    const views = [state, ...tenants.map((namespace) => state.with({ namespace }))];
    assert.equal(new Set(views.map(({ namespace }) => namespace)).size, views.length);
    const marks = await Promise.all(views.map((view, index) => fill(view, `mark ${index}`)));
    for (const [index, view] of views.entries()) {
      const mark = `mark ${index}`;
      assert.equal(await view.cache('n').get('k'), mark);
      assert.deepEqual(
        (await view.map('n').page()).entries.map(({ value }) => value),
        [mark],
      );
      assert.deepEqual((await view.uniqueSet('n').page()).members, [mark]);
      assert.equal(await view.counter('n').get(), 1);
      assert.deepEqual(
        (await view.channel('n').history()).messages.map(({ message }) => message),
        [mark],
      );
      assert.equal((await view.queue('n').get('job'))?.data, mark);
      assert.equal((await view.queue('n').counts()).pending, 1);
      assert.deepEqual(
        (await view.sessions('n').list('ada')).map(({ data }) => data),
        [{ mark }],
      );
      assert.equal(await view.runOnce('n').run('k', () => 'another'), mark);
      assert.deepEqual(
        (await view.presence('n').members('r')).map(({ id }) => id),
        [mark],
      );
      assert.equal((await view.rateLimit('n', '2 per day').peek('ada')).remaining, 1);
      for (const [other, token] of marks.entries()) {
        assert.equal((await view.sessions('n').read(token)).session !== undefined, other === index);
      }
    }
  });

  test('what one removes stays with the others', async (engine) => {
    const state = await engine.open();
    const views = [state, ...tenants.map((namespace) => state.with({ namespace }))];
    await Promise.all(views.map((view) => view.cache('n').set('k', 1)));
    for (const [index, view] of views.entries()) {
      assert.equal(await view.cache('n').clear(), 1);
      const left = await Promise.all(views.map((one) => one.cache('n').get('k')));
      assert.equal(left.filter((value) => value === 1).length, views.length - 1 - index);
    }
  });

  test('a key name of another program must be of the tenant', async (engine) => {
    const state = await engine.open();
    const [a, b] = [state.with({ namespace: 'a' }), state.with({ namespace: 'ab' })];
    for (const prefix of [`${state.namespace}:b:x`, `${b.namespace}:{x}`, 'x', a.namespace]) {
      assert.throws(() => a.map('m', { prefix }), { code: 'InvalidArgument' });
      assert.throws(() => a.sessions('s', { prefix }), { code: 'InvalidArgument' });
      assert.throws(() => a.uniqueSet('u', { prefix }), { code: 'InvalidArgument' });
    }
    const own = a.map<number>('m', { prefix: `${a.namespace}:{x}` });
    await own.set('k', 1);
    assert.equal(await state.map('m', { prefix: `${a.namespace}:{x}` }).get('k'), 1);
  });

  test('bad names and options are refused', async (engine) => {
    const state = await engine.open();
    for (const namespace of ['', 'x'.repeat(65), 'ä'.repeat(33), '\ud800', 7 as unknown as string]) {
      assert.throws(() => state.with({ namespace }), { code: 'InvalidArgument' });
    }
    assert.throws(() => state.with({} as { namespace: string }), { code: 'InvalidArgument' });
    assert.throws(() => state.with({ namespace: 'a', redis: '' } as { namespace: string }), {
      code: 'InvalidArgument',
    });
  });
}

function declareLife(test: DeclareTest): void {
  test('one view a tenant, of the same process; views have views', async (engine) => {
    const state = await engine.open();
    const view = state.with({ namespace: 'a' });
    assert.equal(state.with({ namespace: 'a' }), view);
    assert.equal(view.owner, state.owner);
    const inner = view.with({ namespace: 'b' });
    await inner.cache('c').set('k', 1);
    assert.equal(await view.cache('c').get('k'), undefined);
    assert.equal(await (await engine.open()).with({ namespace: 'a' }).with({ namespace: 'b' }).cache('c').get('k'), 1);
    assert.equal(await state.with({ namespace: 'a:b' }).cache('c').get('k'), undefined);
  });

  test('those who wait in one are woken, and nobody else gets what they wait for', async (engine) => {
    const [here, there] = [await engine.open(), await engine.open()];
    const held = await here.with({ namespace: 'a' }).lock('l').acquire();
    const other = await there.with({ namespace: 'b' }).lock('l').tryAcquire();
    assert.notEqual(other, undefined);
    const waiting = there.with({ namespace: 'a' }).lock('l').acquire();
    await eventLoopTurn();
    await held?.release();
    assert.notEqual(await waiting, undefined);

    const queue = there.with({ namespace: 'a' }).queue<number, number>('q');
    queue.work(({ data }) => data + 1);
    assert.equal(await (await here.with({ namespace: 'a' }).queue<number, number>('q').add(1)).result(), 2);
  });

  test('are closed with the state, with what was begun in them', async (engine) => {
    const state = await engine.open();
    const view = state.with({ namespace: 'a' });
    const inner = view.with({ namespace: 'b' });
    const [counter, cache] = [inner.counter('c'), view.cache('c')];
    const held = await view.lock('l').acquire();
    const waiting = assert.rejects(view.lock('l').acquire(), { code: 'Closed' });
    view.queue('q').work(() => undefined);
    await state.close();
    await waiting;
    assert.equal(held?.signal.aborted, true);
    await assert.rejects(counter.add(1), { code: 'Closed' });
    await assert.rejects(cache.get('k'), { code: 'Closed' });
    assert.throws(() => view.cache('d'), { code: 'Closed' });
    assert.throws(() => state.with({ namespace: 'a' }), { code: 'Closed' });
    const other = (await engine.open()).with({ namespace: 'a' });
    assert.notEqual(await other.lock('l').tryAcquire(), undefined);
  });

  test('one that is closed by itself leaves the others and the state; the next is a new one', async (engine) => {
    const state = await engine.open();
    const [view, other] = [state.with({ namespace: 'a' }), state.with({ namespace: 'b' })];
    await view.presence('p').join({ id: 'x', region: 'r' });
    const near = view.cache<number>('c', { near: true });
    await near.set('k', 1);
    await view.close();
    await assert.rejects(near.set('k', 2), { code: 'Closed' });
    await other.cache('c').set('k', 3);
    await state.cache('c').set('k', 4);
    const again = state.with({ namespace: 'a' });
    assert.notEqual(again, view);
    assert.equal(await again.cache<number>('c').get('k'), 1);
    assert.deepEqual(await again.presence('p').members('r'), []);
  });
}

/** Writes `mark` into every feature; resolves with the token of a session. */
async function fill(view: SharedState, mark: string): Promise<string> {
  await Promise.all([
    view.cache('n').set('k', mark),
    view.map('n').set('k', mark),
    view.uniqueSet('n').add(mark),
    view.counter('n').add(1),
    view.channel('n').publish(mark),
    view.queue('n').add(mark, { id: 'job' }),
    view.lock('n').acquire(),
    view.runOnce('n').run('k', () => mark),
    view.presence('n').join({ id: mark, region: 'r' }),
    view.rateLimit('n', '2 per day').consume('ada'),
  ]);
  return (await view.sessions('n').create({ user: 'ada', data: { mark } })).token;
}
