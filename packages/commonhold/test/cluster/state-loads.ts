import type { SharedState } from '../../src/shared-state.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { expectSame, type FeatureLoad, type KeyOf } from './load.js';

export function cacheLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const cache = one.cache<number>('load');
  const reader = other.cache<number>('load');
  const known = new Map<string, number>();
  return {
    name: 'cache',
    keys: [key('cache', 'load:k0'), key('cache', 'load:k1')],
    round: async (number) => {
      const name = `k${number % 20}`;
      known.delete(name);
      await cache.set(name, number);
      known.set(name, number);
      expectSame('a value just set', number, await reader.get(name));
      await reader.getMany([...known.keys()]);
      await cache.getOrSet(`computed${number % 30}`, () => number);
      if (number % 30 === 29) await cache.clear({ prefix: 'computed' });
    },
    lost: async () => {
      const found = await reader.getMany([...known.keys()]);
      return [...known].filter(([name, value]) => found.get(name) !== value);
    },
  };
}

export function counterLoad(one: SharedState, key: KeyOf): FeatureLoad {
  const counter = one.counter('load');
  const daily = one.counter('load-daily', { daily: { keep: '7d' } });
  let sum = 0;
  return {
    name: 'counter',
    keys: [key('counter', 'load'), key('counter', 'load-daily')],
    round: async () => {
      await counter.add();
      sum++;
      await daily.add();
    },
    lost: async () => {
      const total = await counter.get();
      return total >= sum ? [] : [sum - total];
    },
  };
}

export function uniqueSetLoad(one: SharedState, key: KeyOf): FeatureLoad {
  const set = one.uniqueSet('load', { ttl: '1h' });
  const members: string[] = [];
  return {
    name: 'unique-set',
    keys: [key('unique-set', 'load')],
    round: async (number) => {
      expectSame('a new member', 1, await set.add(`m${number}`));
      members.push(`m${number}`);
    },
    lost: async () => {
      const held = await set.hasMany(members);
      return members.filter((_, index) => !held[index]);
    },
  };
}

export function mapLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const map = one.map<number>('load', { changes: true, ttl: '1h' });
  const second = other.map<number>('load', { changes: true, ttl: '1h' });
  const known = new Map<string, number>();
  let sum = 0;
  return {
    name: 'map',
    keys: [key('map', 'load')],
    round: async (number) => {
      const name = `k${number % 20}`;
      known.delete(name);
      await map.set(name, number);
      known.set(name, number);
      for (const updated of [map, second]) {
        await updated.update('sum', (value = 0) => value + 1);
        sum++;
      }
    },
    lost: async () => {
      const found = await second.getMany(['sum', ...known.keys()]);
      const gone: unknown[] = [...known].filter(([name, value]) => found.get(name) !== value);
      const total = found.get('sum') ?? 0;
      return total >= sum ? gone : [...gone, sum - total];
    },
  };
}

export async function channelLoad(one: SharedState, other: SharedState, key: KeyOf): Promise<FeatureLoad> {
  const heard = new Set<string>();
  await other.channel<number>('load', { keepCount: 100_000 }).subscribe((_, id) => void heard.add(id));
  const channel = one.channel<number>('load', { keepCount: 100_000 });
  const published: string[] = [];
  return {
    name: 'channel',
    keys: [key('channel', 'load')],
    round: async (number) => {
      published.push(await channel.publish(number));
    },
    lost: async () => {
      const missing = (): string[] => published.filter((id) => !heard.has(id));
      await waitUntil('messages', () => missing().length === 0, { timeoutMs: 3_000 }).catch(() => undefined);
      return missing();
    },
  };
}

export function sessionLoad(one: SharedState, other: SharedState): FeatureLoad {
  const sessions = one.sessions<{ visits: number }>('load');
  const reader = other.sessions<{ visits: number }>('load');
  const live = new Set<string>();
  const ended = new Set<string>();
  return {
    name: 'session',
    keys: [],
    round: async (number) => {
      const { token } = await sessions.create({ user: `u${number % 5}`, data: { visits: 0 } });
      await sessions.update(token, ({ visits = 0 }) => ({ visits: visits + 1 }));
      expectSame('visits', 1, (await reader.read(token)).session?.data.visits);
      live.add(token);
      if (number % 3 !== 0) return;
      live.delete(token);
      await sessions.revoke(token);
      ended.add(token);
      expectSame('a revoked session', undefined, (await reader.read(token)).session);
    },
    lost: async () => {
      const dead: string[] = [];
      for (const token of live) if ((await reader.read(token)).session === undefined) dead.push(token);
      for (const token of ended) if ((await reader.read(token)).session !== undefined) dead.push(token);
      return dead;
    },
  };
}

export function presenceLoad(one: SharedState, other: SharedState, key: KeyOf): FeatureLoad {
  const presence = one.presence('load');
  const reader = other.presence('load');
  const stays: { readonly id: string }[] = [];
  return {
    name: 'presence',
    keys: [key('presence', 'load')],
    round: async (number) => {
      const stay = await presence.join({ id: `p${number}`, user: 'ada', region: 'a' });
      await stay.move({ region: 'b' });
      expectSame('region', 'b', (await reader.get(stay.id))?.region);
      if (number % 4 === 0) stays.push(stay);
      else await stay.leave();
    },
    lost: async () => {
      const gone: string[] = [];
      for (const { id } of stays) if ((await reader.get(id)) === undefined) gone.push(id);
      return gone;
    },
  };
}

export function ownersLoad(one: SharedState, key: KeyOf): FeatureLoad {
  return {
    name: 'owners',
    keys: [key('owners', 'owners')],
    round: async (number) => {
      const hold = await one.owners.hold(`file-${number % 7}`);
      await hold.release();
    },
    lost: async () => [],
  };
}
