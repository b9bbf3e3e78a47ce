import type { SharedState } from '../../../src/shared-state.js';

/** Calls the same method for the n-th time. */
export type OutageCall = (n: number) => Promise<unknown>;

/** One step of the store each, which may be called at any time and as often as one likes. */
export function singleSteps(state: SharedState): Readonly<Record<string, OutageCall>> {
  const [counter, set, map] = [state.counter('c'), state.uniqueSet('s'), state.map<number>('m')];
  const [limit, cache, channel] = [state.rateLimit('l', '1000000 per hour'), state.cache('c'), state.channel('ch')];
  const [sessions, queue, presence] = [state.sessions('s'), state.queue('q'), state.presence('p')];
  return {
    'counter.add': () => counter.add(),
    'counter.get': () => counter.get(),
    'uniqueSet.add': (n) => set.add(`member ${n % 100}`),
    'uniqueSet.has': (n) => set.has(`member ${n % 100}`),
    'map.set': (n) => map.set(`key ${n % 100}`, n),
    'map.get': (n) => map.get(`key ${n % 100}`),
    'rateLimit.consume': (n) => limit.consume(`subject ${n % 100}`),
    'channel.publish': (n) => channel.publish(n),
    'cache.get': (n) => cache.get(`key ${n % 100}`),
    'cache.set': (n) => cache.set(`key ${n % 100}`, n),
    'sessions.read': (n) => sessions.read(n.toString(16).padStart(4, '0') + 'A'.repeat(40)),
    'queue.add': (n) => queue.add(n),
    'queue.counts': () => queue.counts(),
    'lock.status': () => state.lock('l').status(),
    'runOnce.get': () => state.runOnce('r').get('key'),
    'concurrency.count': () => state.concurrency('c', 5).count('subject'),
    'presence.count': () => presence.count('region'),
    'owners.orphans': () => state.owners.orphans(),
  };
}

/** Those, and what takes several steps or keeps something. */
export function allCalls(state: SharedState): Readonly<Record<string, OutageCall>> {
  return {
    ...singleSteps(state),
    'cache.getOrSet': (n) => state.cache('c').getOrSet(`key ${n % 100}`, () => n),
    'sessions.create': () => state.sessions('s').create({ user: 'ada' }),
    'lock.acquire': () => state.lock('l').acquire(),
    'runOnce.run': () => state.runOnce<number>('r').run('key', () => 1),
    'concurrency.acquire': () => state.concurrency('c', 5).acquire('subject'),
    'presence.join': (n) => state.presence('p').join({ id: `member ${n}`, region: 'region' }),
  };
}
