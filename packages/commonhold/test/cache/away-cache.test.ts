import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { Journal } from '../../src/backend/resilient/journal.js';
import { JournalScope } from '../../src/backend/resilient/journal-scope.js';
import { type AwayTwin, resilientPort } from '../../src/backend/resilient/resilient-port.js';
import { AwayCache } from '../../src/cache/away-cache.js';
import { cacheOperations } from '../../src/cache/cache-operations.js';
import type { CachePort } from '../../src/cache/cache-port.js';
import { MemoryCache } from '../../src/cache/memory-cache.js';
import { OutcomeUnknownError, UnavailableError } from '../../src/errors.js';
import { createKeys } from '../../src/keys.js';
import { createManualClock } from '../../src/testing/manual-clock.js';

/** Puts a bug into the twin. */
type Spoil = (twin: AwayTwin<CachePort>) => AwayTwin<CachePort>;

/** A cache over a store that a test takes away and gives back. */
class Site {
  readonly clock = createManualClock();
  readonly memory = createMemoryStore({ clock: this.clock });
  readonly store: CachePort = new MemoryCache(this.memory, createKeys('n'));
  readonly journal: Journal;
  readonly port: CachePort;
  away = false;
  /** Called before the store is; what it throws is the store's answer. */
  onCall: (method: string) => void = () => undefined;
  /** Called between what the store did and its answer. */
  onDone: (method: string) => Promise<void> = () => Promise.resolve();

  constructor(spoil: Spoil = (twin) => twin, journal: Journal = new Journal('o')) {
    this.journal = journal;
    const store = new Proxy(this.store, {
      get:
        (port, method: keyof CachePort) =>
        async (...call: never[]) => {
          if (this.away) throw new UnavailableError(method, 'a test');
          this.onCall(method);
          const answer = await (port[method] as (...call: never[]) => Promise<unknown>).apply(port, call);
          await this.onDone(method);
          return answer;
        },
    });
    const place = {
      clock: this.clock,
      memory: this.memory,
      journal: new JournalScope(this.journal, 'n'),
      owner: 'o',
      tally: new Map(),
      tell: () => undefined,
      onReturn: () => undefined,
      processes: () => 1,
    };
    this.port = resilientPort(store, cacheOperations, spoil(new AwayCache(store, place)), place.tally);
  }

  /** What is read, if the store is asked at all. */
  async read(key: string): Promise<unknown> {
    return this.port.get('c', key).catch(({ code }: { readonly code: string }) => code);
  }
}

const put = (site: Site, key: string): Promise<void> => site.store.set('c', key, '1', undefined);

/** Claims, and does not hear whether it was given. */
async function loseAnswer(site: Site, token: string): Promise<void> {
  site.onCall = () => {
    throw new OutcomeUnknownError('cache.claim', 'a test', true);
  };
  const claimed = site.port.claim('c', 'k', token, 60_000, 'o', 0);
  await expect(claimed).rejects.toMatchObject({ code: 'OutcomeUnknown' });
  site.onCall = () => undefined;
}

/** What must hold whatever else does, and the bugs that it must notice. */
const rules: Readonly<Record<string, (site: Site) => Promise<void>>> = {
  'nothing is read before it is removed': async (site) => {
    await put(site, 'k');
    site.away = true;
    await site.port.delete('c', ['k'], false);
    site.away = false;
    expect(await site.read('k')).toBe('Unavailable');
    await site.journal.replay();
    expect(await site.read('k')).toBeUndefined();
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  },
  'nothing is read that is being removed': async (site) => {
    await put(site, 'k');
    site.away = true;
    await site.port.delete('c', ['k'], false);
    site.away = false;
    let read: Promise<unknown> | undefined;
    site.onCall = (method) => {
      if (method === 'delete') read = site.read('k');
    };
    await site.journal.replay();
    expect(await read).toBe('Unavailable');
  },
  'what was written here is older there': async (site) => {
    await put(site, 'k');
    site.away = true;
    await site.port.set('c', 'k', '2', undefined);
    await site.port.expire('c', ['k'], 1_000, false);
    site.away = false;
    await site.journal.replay();
    expect(await site.read('k')).toBeUndefined();
  },
  'what is noted while the rest is told is told too': async (site) => {
    await put(site, 'k');
    site.away = true;
    await site.port.abandon('c', 'k', 'token');
    site.away = false;
    let noted: Promise<unknown> | undefined;
    site.onCall = (method) => {
      if (method !== 'abandon') return;
      site.away = true;
      noted = site.port.delete('c', ['k'], false);
    };
    expect(await site.journal.replay()).toBe(false);
    site.away = false;
    expect(await noted).toBe(0);
    await site.journal.replay();
    expect(await site.store.get('c', 'k')).toBeUndefined();
  },
  'a claim is given back': async (site) => {
    expect(await site.store.claim('c', 'k', 'token', 60_000, 'o', 0)).toEqual({ state: 'compute' });
    await loseAnswer(site, 'token');
    await site.journal.replay();
    expect(await site.store.claim('c', 'k', 'another', 60_000, 'o', 0)).toEqual({ state: 'compute' });
  },
};

const bugs: readonly { readonly name: string; readonly rule: keyof typeof rules; readonly spoil: Spoil }[] = [
  {
    name: 'removals wait their turn behind reads',
    rule: 'nothing is read before it is removed',
    spoil: ({ answers }) => ({ answers, holds: () => false }),
  },
  {
    name: 'a removal is answered and not noted',
    rule: 'nothing is read before it is removed',
    spoil: (twin) => spoiled(twin, { delete: async () => 0 }),
  },
  {
    name: 'a set without the store is forgotten',
    rule: 'what was written here is older there',
    spoil: (twin) => spoiled(twin, { set: async () => undefined, expire: async () => 0 }),
  },
  {
    name: 'a claim is left to its lease',
    rule: 'a claim is given back',
    spoil: ({ answers }) => ({ answers }),
  },
];

function spoiled(twin: AwayTwin<CachePort>, answers: AwayTwin<CachePort>['answers']): AwayTwin<CachePort> {
  const { unsure = {} } = twin;
  return {
    answers: { ...twin.answers, ...answers },
    unsure,
    holds: (...call: never) => twin.holds?.(...call) ?? false,
  };
}

describe('planted bugs of a cache without a store', () => {
  it.each(Object.entries(rules))('%s', (_, rule) => rule(new Site()));

  it.each(bugs)('noticed: $name', async ({ rule, spoil }) => {
    await expect(rules[rule]?.(new Site(spoil))).rejects.toThrow('expected');
  });
});

describe('what a cache notes', () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
  });

  it('is one entry for each key and cache, and holds up nothing else', async () => {
    await put(site, 'other');
    site.away = true;
    for (let round = 0; round < 5; round++) {
      await site.port.delete('c', ['k', 'j'], false);
      await site.port.setMany('d', [['k', '1']], undefined);
      await site.port.mark('d', ['t', 'u']);
    }
    expect(site.journal.size.entries).toBe(4);
    site.away = false;
    expect(await site.read('other')).toBe('1');
    await expect(site.port.getMany('c', ['other', 'k'])).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(site.port.marks('d')).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await site.journal.replay()).toBe(true);
    expect((await site.port.marks('d')).map(([tag]) => tag).toSorted()).toEqual(['', 't', 'u']);
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('is nothing of a claim that was certainly not given', async () => {
    site.away = true;
    for (let number = 0; number < 2_000; number++) {
      await site.port.claim('c', 'k', `token ${number}`, 60_000, 'o', 0).catch(() => undefined);
    }
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('of claims has its bounds, and is told some at a time, each until it is confirmed', async () => {
    for (let number = 0; number < 1_000; number++) await loseAnswer(site, `token ${number}`);
    expect(site.journal.size.bytes).toBeGreaterThan(100_000);
    let [calls, underWay, most] = [0, 0, 0];
    site.onCall = () => {
      most = Math.max(most, ++underWay);
      if (++calls > 100) site.away = true;
    };
    site.onDone = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
    };
    expect(await site.journal.replay()).toBe(false);
    site.away = false;
    site.onCall = () => void calls++;
    expect(await site.journal.replay()).toBe(true);
    expect({ calls, most }).toEqual({ calls: 1_000, most: 64 });
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('of claims leaves half of the journal to what must not be lost', async () => {
    const small = new Site(undefined, new Journal('o', 10_000));
    for (let number = 0; number < 200; number++) await loseAnswer(small, `token ${number}`);
    expect(small.journal.size.bytes).toBeLessThan(6_000);
    small.away = true;
    expect(await small.port.delete('c', ['k', 'j'], false)).toBe(0);
  });

  it('does not grow by what is written while it is told, which the store has then', async () => {
    await put(site, 'k');
    site.away = true;
    await site.port.delete('c', ['k', 'j'], false);
    site.away = false;
    let written: Promise<void> | undefined;
    site.onDone = async (method) => {
      if (method !== 'delete') return;
      // Another process was there before.
      await site.store.set('c', 'k', 'older', undefined);
      written ??= site.port.set('c', 'k', '2', undefined);
    };
    expect(await site.journal.replay()).toBe(true);
    await written;
    expect([await site.read('k'), await site.read('j')]).toEqual(['2', undefined]);
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('has what was written while it was told, where the store goes away again', async () => {
    await put(site, 'k');
    site.away = true;
    await site.port.delete('c', ['k'], false);
    site.away = false;
    let written: Promise<void> | undefined;
    site.onDone = async (method) => {
      if (method !== 'delete') return;
      await site.store.set('c', 'k', 'older', undefined);
      site.away = true;
      written ??= site.port.set('c', 'k', '2', undefined);
    };
    await site.journal.replay();
    await written;
    expect(site.journal.empty).toBe(false);
    site.away = false;
    site.onDone = () => Promise.resolve();
    expect(await site.journal.replay()).toBe(true);
    expect(await site.read('k')).toBeUndefined();
  });

  it('of a tag that is cleared again while it is told is told again', async () => {
    site.away = true;
    await site.port.mark('c', ['t']);
    site.away = false;
    let marks = 0;
    site.onDone = async (method) => {
      if (method === 'mark' && ++marks === 1) await site.port.mark('c', ['t']);
    };
    expect(await site.journal.replay()).toBe(false);
    expect(await site.journal.replay()).toBe(true);
    expect(marks).toBe(2);
  });
});
