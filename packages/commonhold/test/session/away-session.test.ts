import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import type { AwayPlace } from '../../src/backend/resilient/away-place.js';
import { Journal } from '../../src/backend/resilient/journal.js';
import { JournalScope } from '../../src/backend/resilient/journal-scope.js';
import { type AwayTwin, resilientPort } from '../../src/backend/resilient/resilient-port.js';
import { CorruptStateError, OverloadedError, UnavailableError } from '../../src/errors.js';
import { createKeys } from '../../src/keys.js';
import { AwaySession } from '../../src/session/away-session.js';
import { MemorySession } from '../../src/session/memory-session.js';
import { sessionOperations } from '../../src/session/session-operations.js';
import type { SessionPort, SessionSpace } from '../../src/session/session-port.js';
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.js';

const space: SessionSpace = {
  name: 's',
  prefix: undefined,
  idleMs: 60_000,
  absoluteMs: 100_000,
  rememberMs: 0,
  tombstoneMs: 600_000,
  maxPerUser: 0,
  whenFull: 'evict',
  graceMs: 10_000,
  staleMs: 90_000,
};
const nobody = { user: undefined, device: undefined };
const ada = { user: 'ada', device: undefined };
const at = (id: string) => ({ bucket: 'b', id });

/** Puts a bug into the twin. */
type Spoil = (twin: AwayTwin<SessionPort>) => AwayTwin<SessionPort>;

/** Sessions over a store that a test takes away and gives back. */
class Site {
  readonly clock: ManualClock = createManualClock();
  readonly memory = createMemoryStore({ clock: this.clock });
  readonly store: SessionPort = new MemorySession(this.memory, createKeys('n'));
  readonly journal = new Journal('o');
  /** Calls that the store ran, in order. */
  readonly calls: string[] = [];
  readonly place: AwayPlace;
  readonly port: SessionPort;
  away = false;
  /** Called before the store is; what it throws is the store's answer. */
  onCall: (method: string, call: readonly unknown[]) => void = () => undefined;
  /** Calls under way that the store takes at most. */
  most = Infinity;
  #underWay = 0;
  #returned: (leftAtMs: number) => void = () => undefined;

  constructor(spoil: Spoil = (twin) => twin) {
    this.place = {
      clock: this.clock,
      memory: this.memory,
      journal: new JournalScope(this.journal, 'n'),
      owner: 'o',
      tally: new Map(),
      tell: () => undefined,
      onReturn: (listener) => void (this.#returned = listener),
      processes: () => 1,
    };
    const store = new Proxy(this.store, {
      get:
        (port, method: keyof SessionPort) =>
        async (...call: never[]) => {
          if (this.away) throw new UnavailableError(method, 'a test');
          if (this.#underWay >= this.most) throw new OverloadedError('A queue', `${this.most} calls`);
          this.onCall(method, call);
          this.calls.push(method);
          this.#underWay++;
          const answer = (port[method] as (...call: never[]) => Promise<unknown>).apply(port, call);
          return answer.finally(() => this.#underWay--);
        },
    });
    const twin = spoil(new AwaySession(store, this.place));
    this.port = resilientPort(store, sessionOperations, twin, this.place.tally);
  }

  comeBack(): void {
    this.away = false;
    this.#returned(this.clock.monotonic());
  }
}

describe('what a process knows of sessions', () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
  });

  it('is served as long as it is not too old', async () => {
    await site.port.create({ ...space, staleMs: 30_000 }, at('x'), ada, []);
    site.away = true;
    await site.clock.advance(30_000);
    expect(await site.port.read({ ...space, staleMs: 30_000 }, at('x'))).toMatchObject({ stale: true, user: 'ada' });
    await site.clock.advance(1);
    await expect(site.port.read({ ...space, staleMs: 30_000 }, at('x'))).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('is served until the session would end by itself, and no longer, however often it is used', async () => {
    await site.port.create(space, at('x'), nobody, []);
    site.away = true;
    for (let second = 0; second < 60; second++) {
      await site.clock.advance(1_000);
      expect(await site.port.touch(space, at('x'))).toMatchObject({ stale: true });
    }
    await site.clock.advance(1);
    await expect(site.port.touch(space, at('x'))).rejects.toMatchObject({ code: 'Unavailable' });
    site.comeBack();
    await site.port.create(space, at('y'), nobody, []);
    await site.clock.advance(50_000);
    await site.port.touch(space, at('y'));
    site.away = true;
    await site.clock.advance(50_001);
    await expect(site.port.read(space, at('y'))).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('is what was written and read last, and nothing of another name', async () => {
    await site.port.create(space, at('x'), ada, [['n', '1']]);
    await site.port.set(space, at('x'), [['n', '2']]);
    await site.port.replace(space, at('x'), 2, [['m', '3']]);
    await site.port.rotate(space, at('x'), 'y', { ...nobody, renewal: false }, []);
    await site.port.create(space, at('z'), ada, []);
    await site.port.take(space, at('z'), []);
    site.away = true;
    const fields = [
      ['n', '2'],
      ['m', '3'],
    ];
    expect(await site.port.read(space, at('y'))).toMatchObject({ id: 'y', fields });
    for (const id of ['x', 'z']) await expect(site.port.read(space, at(id))).rejects.toThrow();
    await expect(site.port.read({ ...space, name: 'other' }, at('y'))).rejects.toThrow();
  });

  it('is forgotten when the store is back', async () => {
    await site.port.create(space, at('x'), ada, []);
    site.away = true;
    expect(await site.port.read(space, at('x'))).toMatchObject({ stale: true });
    site.comeBack();
    site.away = true;
    await expect(site.port.read(space, at('x'))).rejects.toThrow();
  });
});

describe('revocations that wait for the store', () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
  });

  it('go before everything else in their bucket, and hold nobody else up', async () => {
    for (const id of ['x', 'y', 'z']) await site.port.create(space, at(id), ada, []);
    await site.port.create(space, { bucket: 'c', id: 'w' }, nobody, []);
    site.away = true;
    await site.port.revoke(space, at('x'), undefined);
    await site.port.revokeAll(space, 'b', 'ada', 'y');
    site.comeBack();
    site.calls.length = 0;
    await expect(site.port.create(space, at('v'), ada, [])).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await site.port.read(space, at('x'))).toBe('revoked');
    expect(await site.port.read(space, { bucket: 'c', id: 'w' })).toMatchObject({ id: 'w' });
    expect(await site.journal.replay()).toBe(true);
    expect(await site.port.read(space, at('z'))).toBe('revoked');
    expect(await site.port.read(space, at('y'))).toMatchObject({ id: 'y' });
    expect(site.calls).toEqual(['read', 'revoke', 'revokeAll', 'read', 'read']);
  });

  it('are not undone by one of them that fails, nor by who asks to keep another', async () => {
    for (const id of ['x', 'y']) await site.port.create(space, at(id), ada, []);
    site.away = true;
    expect(await site.port.revokeAll(space, 'b', 'ada', 'x')).toBe(1);
    expect(await site.port.revokeAll(space, 'b', 'ada', 'y')).toBe(1);
    for (const id of ['x', 'y']) expect(await site.port.look(space, at(id))).toBe('revoked');
    expect(await site.journal.replay()).toBe(false);
    site.comeBack();
    await site.journal.replay();
    for (const id of ['x', 'y']) expect(await site.port.look(space, at(id))).toBe('revoked');
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('reach a renewed session by either of its tokens', async () => {
    await site.port.create(space, at('old'), ada, []);
    await site.port.rotate(space, at('old'), 'new', { ...nobody, renewal: true }, []);
    expect(await site.port.read(space, at('old'))).toMatchObject({ id: 'new' });
    site.away = true;
    expect(await site.port.revokeAll(space, 'b', 'ada', 'old')).toBe(0);
    expect(await site.port.read(space, at('new'))).toMatchObject({ id: 'new', stale: true });
    expect(await site.port.revoke(space, at('old'), 'ada')).toBe(true);
    for (const id of ['old', 'new']) expect(await site.port.read(space, at(id))).toBe('revoked');
    site.comeBack();
    expect(await site.journal.replay()).toBe(true);
    expect(await site.port.look(space, at('new'))).toBe('revoked');
  });

  it('by whom the session is not of change nothing, and hide no other', async () => {
    await site.port.create(space, at('x'), ada, []);
    site.away = true;
    expect(await site.port.revoke(space, at('x'), 'bob')).toBe(false);
    expect(await site.port.read(space, at('x'))).toMatchObject({ stale: true });
    // Of an unknown one, only the store can tell.
    await site.port.revoke(space, at('unknown'), 'ada');
    await site.port.revoke(space, at('unknown'), 'bob');
    await expect(site.port.read(space, at('unknown'))).rejects.toMatchObject({ code: 'Unavailable' });
    await site.store.create(space, at('unknown'), ada, []);
    site.comeBack();
    await site.journal.replay();
    expect(await site.port.look(space, at('unknown'))).toBe('revoked');
  });

  it('of one prefix, though they are very many, go through a connection that takes less', async () => {
    const prefixed = { ...space, prefix: 'p' };
    const count = 12_000;
    for (let number = 0; number < count; number++) await site.store.create(prefixed, at(`x${number}`), nobody, []);
    site.away = true;
    for (let number = 0; number < count; number++) await site.port.revoke(prefixed, at(`x${number}`), undefined);
    site.comeBack();
    site.most = 10_000;
    expect(await site.journal.replay()).toBe(true);
    for (let number = 0; number < count; number += 999) {
      expect(await site.port.read(prefixed, at(`x${number}`))).toBe('revoked');
    }
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('are not done again where only some could be', async () => {
    const prefixed = { ...space, prefix: 'p' };
    site.away = true;
    for (let number = 0; number < 1_000; number++) await site.port.revoke(prefixed, at(`x${number}`), undefined);
    await site.port.revokeAll(prefixed, 'b', 'ada', undefined);
    site.comeBack();
    site.onCall = () => void (site.away = site.calls.length >= 99);
    expect(await site.journal.replay()).toBe(false);
    expect(site.calls.length).toBe(100);
    site.away = false;
    site.onCall = () => undefined;
    await expect(site.port.read(prefixed, at('x0'))).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await site.journal.replay()).toBe(true);
    expect(site.calls.length).toBe(1_001);
  });

  it('do not wait for one that can not be, which is told', async () => {
    const prefixed = { ...space, prefix: 'p' };
    const conflicts: object[] = [];
    site.journal.onConflict((conflict) => conflicts.push(conflict));
    const users = ['ada', 'eve', 'bob'];
    for (const user of users) await site.port.create(prefixed, at(user), { ...ada, user }, []);
    site.away = true;
    for (const user of users) await site.port.revokeAll(prefixed, 'b', user, undefined);
    await site.port.revoke(prefixed, at('unknown'), undefined);
    site.comeBack();
    site.onCall = (method, [, , id]) => {
      if (method === 'revokeAll' && id === 'eve') throw new CorruptStateError('the index of eve', 'a list');
    };
    expect(await site.journal.replay()).toBe(true);
    for (const user of ['ada', 'bob']) expect(await site.port.read(prefixed, at(user))).toBe('revoked');
    expect(conflicts).toEqual([
      { feature: 'sessions', namespace: 'n', name: 's', key: 'eve', why: expect.stringContaining('the index of eve') },
    ]);
    expect(site.journal.size).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('of the last seconds before a break are said again after it, and no older ones', async () => {
    await site.port.create(space, at('old'), ada, []);
    await site.port.revokeAll(space, 'b', 'ada', undefined);
    await site.clock.advance(10_000);
    await site.port.create(space, at('new'), ada, []);
    await site.port.create(space, at('out'), { ...ada, user: 'bob' }, []);
    await site.port.revoke(space, at('out'), undefined);
    site.calls.splice(0);
    site.comeBack();
    await site.journal.replay();
    expect(site.calls).toEqual(['revoke']);
    expect(await site.port.read(space, at('new'))).toMatchObject({ user: 'ada' });
  });

  it('are refused where the journal is full', async () => {
    const full = new JournalScope(new Journal('o', 10), 'n');
    const twin = new AwaySession(site.store, { ...site.place, journal: full });
    await expect(twin.answers.revoke?.(space, at('x'), undefined)).rejects.toMatchObject({ code: 'Overloaded' });
  });
});

/** What must hold whatever else does, and the bugs that it must notice. */
const rules: Readonly<Record<string, (site: Site) => Promise<void>>> = {
  'nothing is read before a revocation': async (site) => {
    await site.port.create(space, at('x'), ada, []);
    site.away = true;
    await site.port.revoke(space, at('x'), undefined);
    expect(await site.port.read(space, at('x'))).toBe('revoked');
    site.comeBack();
    expect(await site.port.read(space, at('x')).catch(() => 'away')).toBe('revoked');
    await site.journal.replay();
    expect(await site.store.look(space, at('x'))).toBe('revoked');
  },
  'nothing is served past its end': async (site) => {
    await site.port.create(space, at('x'), ada, []);
    site.away = true;
    await site.clock.advance(60_001);
    expect(await site.port.read(space, at('x')).catch(() => 'away')).toBe('away');
  },
  'nothing is served that is too old': async (site) => {
    const brief = { ...space, staleMs: 1_000 };
    await site.port.create(brief, at('x'), ada, []);
    site.away = true;
    await site.clock.advance(1_001);
    expect(await site.port.read(brief, at('x')).catch(() => 'away')).toBe('away');
  },
  'nothing is served that the store came back without': async (site) => {
    await site.port.create(space, at('x'), ada, []);
    site.away = true;
    await site.store.revoke(space, at('x'), undefined);
    site.comeBack();
    expect(await site.port.read(space, at('x'))).toBe('revoked');
    site.away = true;
    expect(await site.port.read(space, at('x')).catch(() => 'away')).toBe('away');
  },
};

const longLived = { idleMs: 1e9, absoluteMs: 1e9 };
const bugs: readonly { readonly name: string; readonly rule: keyof typeof rules; readonly spoil: Spoil }[] = [
  {
    name: 'revocations wait their turn behind reads',
    rule: 'nothing is read before a revocation',
    spoil: ({ answers, learns = {} }) => ({ answers, learns, holds: () => false }),
  },
  {
    name: 'a revocation is answered and not noted',
    rule: 'nothing is read before a revocation',
    spoil: (twin) => spoiled(twin, { answers: { ...twin.answers, revoke: async () => true } }),
  },
  {
    name: 'a session goes on past its end',
    rule: 'nothing is served past its end',
    spoil: (twin) =>
      spoiled(twin, {
        answers: { ...twin.answers, read: (own, address) => twin.answers.read?.({ ...own, ...longLived }, address) },
      }),
  },
  {
    name: 'what is known does not grow old',
    rule: 'nothing is served that is too old',
    spoil: (twin) =>
      spoiled(twin, {
        learns: {
          ...twin.learns,
          create: (found, own, ...more) => twin.learns?.create?.(found, { ...own, staleMs: 1e9 }, ...more),
        },
      }),
  },
  {
    name: 'an end that is read is not learnt',
    rule: 'nothing is served that the store came back without',
    spoil: (twin) => {
      const { create } = twin.learns ?? {};
      // What the first create told is told again at each read.
      let first: Parameters<NonNullable<typeof create>> | undefined;
      return spoiled(twin, {
        learns: {
          create: (...told) => {
            first = told;
            create?.(...told);
          },
          read: () => first && create?.(...first),
        },
      });
    },
  },
];

function spoiled(twin: AwayTwin<SessionPort>, parts: Partial<AwayTwin<SessionPort>>): AwayTwin<SessionPort> {
  const { answers, learns = {} } = twin;
  return { answers, learns, holds: (...call: never) => twin.holds?.(...call) ?? false, ...parts };
}

describe('planted bugs of sessions without a store', () => {
  it.each(Object.entries(rules))('%s', (_, rule) => rule(new Site()));

  it.each(bugs)('noticed: $name', async ({ rule, spoil }) => {
    await expect(rules[rule]?.(new Site(spoil))).rejects.toThrow('expected');
  });
});
