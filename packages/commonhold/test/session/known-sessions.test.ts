import { describe, expect, it } from 'vitest';
import { KnownSessions } from '../../src/session/known-sessions.js';
import type { SessionRecord } from '../../src/session/session-port.js';

describe('what is remembered of sessions', () => {
  it('is bounded in bytes: who was heard of longest ago is forgotten first', () => {
    const known = new KnownSessions(10_000);
    const record = { id: 'x', user: 'ada', fields: [['n', 'x'.repeat(200)]] } as unknown as SessionRecord;
    for (let number = 0; number < 100; number++) {
      known.set(`key ${number}`, { space: 's', record, heardAtMs: number, untilMs: 1_000 });
    }
    expect(known.size).toBeGreaterThan(5);
    expect(known.size).toBeLessThan(20);
    expect([known.get('key 0'), known.get('key 99')]).toEqual([undefined, expect.anything()]);
    known.amend('key 99', { ...record, fields: [['n', 'x'.repeat(9_000)]] });
    expect(known.size).toBe(0);
    known.set('old', { space: 's', record, heardAtMs: 0, untilMs: 10 });
    known.set('new', { space: 's', record, heardAtMs: 11, untilMs: 20 });
    expect(known.size).toBe(1);
  });
});

describe('the sessions of one user', () => {
  const record = (user: string | undefined, size = 1): SessionRecord =>
    ({ id: 'x', user, fields: [['n', 'x'.repeat(size)]] }) as unknown as SessionRecord;
  const all = (known: KnownSessions, user: string): string[] =>
    known
      .ofUser('s', user)
      .map(([key]) => key)
      .toSorted();

  it('are those that are remembered', () => {
    const known = new KnownSessions(12_000);
    const set = (key: string, user: string | undefined, name = 's'): void =>
      known.set(key, { space: name, record: record(user), heardAtMs: 0, untilMs: 1_000 });
    for (const key of ['a', 'b', 'c']) set(key, 'ada');
    set('d', undefined);
    set('e', 'ada', 'other');
    set('f', 'eve');
    expect([all(known, 'ada'), all(known, 'eve'), all(known, '')]).toEqual([['a', 'b', 'c'], ['f'], []]);
    set('a', 'eve');
    known.delete('b');
    known.amend('c', record('eve'));
    expect([all(known, 'ada'), all(known, 'eve')]).toEqual([[], ['a', 'c', 'f']]);
    known.amend('f', record('eve', 4_000));
    expect(all(known, 'eve')).not.toContain('c');
    expect(known.get('c')).toBeUndefined();
    known.clear();
    expect(all(known, 'eve')).toEqual([]);
  });

  it('are found without looking at those of all others', () => {
    const known = new KnownSessions(Infinity);
    for (let number = 0; number < 30_000; number++) {
      known.set(`k${number}`, { space: 's', record: record(`user ${number}`), heardAtMs: 0, untilMs: 1_000 });
    }
    const sinceMs = performance.now();
    for (let number = 0; number < 30_000; number += 10) expect(all(known, `user ${number}`)).toEqual([`k${number}`]);
    expect(performance.now() - sinceMs).toBeLessThan(5_000);
  });
});
