import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { createFaultyStore, type FaultyStore } from '../../src/testing/faulty-store.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { eventually, waitUntil } from '../../src/testing/waiting.js';
import { outcome, silentLog } from '../backend/redis/connected.js';

const open = (store: FaultyStore): Promise<SharedState> =>
  openState({ namespace: 'faulty', memory: store, log: silentLog, environment: {} });

describe('a store that fails on command', () => {
  it('does what a store does while nothing is wrong', async () => {
    await using state = await open(createFaultyStore());
    await state.map<number>('numbers').set('one', 1);
    expect(await state.map<number>('numbers').get('one')).toBe(1);
    expect(state.status()).toEqual({ kind: 'redis', connected: true, version: 'in this process' });
    await state.probe();
  });

  it('is shared by the states that are opened on it, which hear each other', async () => {
    const store = createFaultyStore();
    await using one = await open(store);
    await using other = await open(store);
    const heard: string[] = [];
    await other.channel<string>('news').subscribe((text) => void heard.push(text));
    await one.channel<string>('news').publish('hello');
    await waitUntil('the message', () => heard.length === 1);
  });

  it('out of reach, calls do not run, and the state says so until it is mended', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    const told: string[] = [];
    state.on('degraded', () => void told.push('degraded'));
    state.on('recovered', () => void told.push('recovered'));
    store.fail('unreachable');
    expect(state.status()).toMatchObject({ connected: false });
    expect(await outcome(state.lock('door').tryAcquire())).toBe('Unavailable');
    expect(await outcome(state.probe())).toBe('Unavailable');
    expect(told).toEqual(['degraded']);
    store.mend();
    await state.probe();
    await waitUntil('the recovery', () => told.length === 2);
    expect(told).toEqual(['degraded', 'recovered']);
  });

  it('out of reach, what a feature does by itself is brought to it afterwards', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    await using other = await open(store);
    await state.counter('visits').add(1);
    store.fail('unreachable');
    await state.counter('visits').add(2);
    store.mend();
    await eventually(async () => expect(await other.counter('visits').get()).toBe(3));
  });

  it('out of reach from the start, the state opens all the same', async () => {
    const store = createFaultyStore();
    store.fail('unreachable');
    await using state = await open(store);
    expect(state.status()).toMatchObject({ connected: false });
    store.mend();
    await state.probe();
  });

  it('hanging, calls end at their deadline, and then at once', async () => {
    const clock = createManualClock();
    const store = createFaultyStore({ clock });
    await using state = await openState({ memory: store, clock, log: silentLog, environment: {} });
    store.fail('hang');
    const acquired = outcome(state.lock('door').tryAcquire());
    await clock.advance(499);
    expect(state.status().connected).toBe(true);
    await clock.advance(1);
    expect(await acquired).toBe('Unavailable');
    expect(state.status().connected).toBe(false);
    expect(await outcome(state.queue('jobs').counts())).toBe('Unavailable');
    store.mend();
    expect(await state.queue('jobs').counts()).toMatchObject({ pending: 0 });
  });

  it('mended before the deadline, what hung goes on', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    store.fail('hang');
    const added = state.queue<string>('jobs').add('a');
    store.mend();
    await added;
    expect(await state.queue('jobs').counts()).toMatchObject({ pending: 1 });
    expect(state.status().connected).toBe(true);
  });

  it('an answer is lost of a call that ran', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    const visits = state.counter('visits', { away: 'throw' });
    store.fail('lost reply', { on: 'counter.add' });
    expect(await outcome(visits.add(1))).toBe('OutcomeUnknown');
    expect(await visits.get()).toBe(1);
  });

  it('full, it refuses writes and can be read', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    const jobs = state.queue<string>('jobs');
    store.fail('full');
    expect(await outcome(jobs.add('a'))).toBe('Overloaded');
    expect(await jobs.counts()).toMatchObject({ pending: 0 });
  });

  it('slow, calls take longer, and those that take too long run all the same', async () => {
    const clock = createManualClock();
    const store = createFaultyStore({ clock });
    await using state = await openState({ memory: store, clock, log: silentLog, environment: {} });
    const visits = state.counter('visits', { away: 'throw' });
    store.slow('200ms');
    const fast = visits.add(1);
    await clock.advance(200);
    await fast;
    store.slow('2s');
    const late = outcome(visits.add(1));
    await clock.advance(500);
    expect(await late).toBe('OutcomeUnknown');
    await clock.advance(1_500);
    store.mend();
    expect(await visits.get()).toBe(2);
  });

  it('only the calls that are meant fail: of a feature, of an operation, the n-th', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    store.fail('unreachable', { on: 'lock' });
    store.fail('unreachable', { on: 'queue.add', call: 2 });
    expect(state.status().connected).toBe(true);
    expect(await outcome(state.lock('door').tryAcquire())).toBe('Unavailable');
    const jobs = state.queue<string>('jobs');
    const added = [await outcome(jobs.add('a')), await outcome(jobs.add('b')), await outcome(jobs.add('c'))];
    expect(added.map((one) => (one === 'Unavailable' ? 'failed' : 'added'))).toEqual(['added', 'failed', 'added']);
  });

  it('loses what it had, or its last writes, and states see the connection break', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    const numbers = state.map<number>('numbers');
    for (const number of [1, 2, 3]) await numbers.set(`n${number}`, number);
    const told: string[] = [];
    state.on('degraded', () => void told.push('degraded'));
    state.on('stateLost', ({ kind }) => void told.push(kind));
    store.lose(2);
    expect(told).toEqual(['degraded', 'rolledBack']);
    expect(await numbers.get('n1')).toBe(1);
    expect(await numbers.get('n2')).toBeUndefined();
    store.lose();
    expect(await numbers.get('n1')).toBeUndefined();
    expect(told.at(-1)).toBe('empty');
  });

  it('what it lost while it was away is told when it is back', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    const told: string[] = [];
    state.on('stateLost', ({ kind }) => void told.push(kind));
    await state.map<number>('numbers').set('n', 1);
    store.fail('unreachable');
    store.lose();
    expect(told).toEqual([]);
    store.mend();
    expect(told).toEqual(['empty']);
  });

  it('what was subscribed before is heard again after it lost everything', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    const heard: string[] = [];
    await state.channel<string>('news').subscribe((text) => void heard.push(text));
    store.lose();
    await state.channel<string>('news').publish('hello');
    await waitUntil('the message', () => heard.includes('hello'));
  });

  it('a job is run again whose end was among the writes that were lost', async () => {
    const store = createFaultyStore();
    await using state = await open(store);
    const jobs = state.queue<string>('jobs');
    let runs = 0;
    const worker = jobs.work(() => void (runs += 1));
    const { id } = await jobs.add('a');
    await jobs.waitFor(id);
    while ((await jobs.counts()).processing === 0) store.lose(1);
    await eventually(async () => expect((await jobs.get(id))?.status).toBe('completed'));
    expect(runs).toBeGreaterThan(1);
    await worker.close();
  });

  it.each([
    ['a fault that there is not', (store: FaultyStore) => store.fail('broken' as 'hang'), /fail: expected one of/],
    ['an operation that there is not', (store: FaultyStore) => store.fail('hang', { on: 'lock.open' }), /scope, on/],
    ['a call before the first', (store: FaultyStore) => store.fail('hang', { call: 0 }), /scope, call/],
    ['an option that there is not', (store: FaultyStore) => store.fail('hang', { of: 'lock' } as object), /of/],
    ['no time at all', (store: FaultyStore) => store.slow(0), /slow/],
    ['half a write', (store: FaultyStore) => store.lose(0.5), /lose/],
  ])('%s is refused', (_, call, message) => {
    expect(() => call(createFaultyStore())).toThrow(message);
  });
});
