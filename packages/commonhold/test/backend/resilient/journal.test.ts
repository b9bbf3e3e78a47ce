import { describe, expect, it } from 'vitest';
import type { JournalConflict } from '../../../src/backend/backend.js';
import { Journal } from '../../../src/backend/resilient/journal.js';
import { JournalScope } from '../../../src/backend/resilient/journal-scope.js';
import { InvalidArgumentError, UnavailableError } from '../../../src/errors.js';

const away = new UnavailableError('a test', 'it says so');

/** A journal with one part, each entry of which is a list of what was noted. */
function start(replay: (key: string, noted: string[]) => Promise<boolean>, first: boolean = false) {
  const journal = new Journal('o');
  const scope = new JournalScope(journal, 'n');
  const part = scope.part<string[]>({ first, replay, subject: (name) => ({ feature: 'test', name }) });
  const note = (key: string, what: string): void => void part.enter(key, 10, () => []).push(what);
  return { journal, scope, part, note };
}

describe('the journal', () => {
  it('keeps what is noted at the last moment of a replay', async () => {
    const sent: string[] = [];
    const { journal, part, note } = start((key, noted) => {
      sent.push(...noted.splice(0));
      const done = Promise.resolve(true);
      // After the entry was found empty, and before that is acted on.
      if (sent.length === 1) void done.then(() => note(key, 'second'));
      return done;
    });
    note('k', 'first');
    expect(await journal.replay()).toBe(false);
    expect(part.get('k')).toEqual(['second']);
    expect(await journal.replay()).toBe(true);
    expect([sent, journal.size.bytes]).toEqual([['first', 'second'], 0]);
  });

  it('has calls wait for what is on its way', async () => {
    let answer: () => void = () => undefined;
    const { journal, part, note } = start(async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      return true;
    });
    note('k', 'first');
    expect([part.holds('k'), part.sending('k')]).toEqual([true, undefined]);
    const replayed = journal.replay();
    const sending = part.sending('k');
    expect(sending).toBeInstanceOf(Promise);
    answer();
    await sending;
    expect([part.holds('k'), part.sending('k'), await replayed]).toEqual([false, undefined, true]);
  });

  it('is not held up by a part of the store that is away', async () => {
    const brought: string[] = [];
    const { journal, scope, part, note } = start(async (key) => {
      if (key.startsWith('a')) throw away;
      brought.push(key);
      return true;
    }, true);
    const others = scope.part<string[]>({
      replay: async (key) => (brought.push(key), true),
      subject: (name) => ({ feature: 'test', name }),
    });
    for (let n = 0; n < 3_000; n++) note(`a${n}`, 'waits');
    for (let n = 0; n < 3; n++) note(`b${n}`, 'goes');
    others.enter('other', 1, () => []);
    expect(await journal.replay()).toBe(false);
    expect(brought).toEqual(['other']);
    expect(await journal.replay()).toBe(false);
    expect([brought, part.size]).toEqual([['other', 'b0', 'b1', 'b2'], 3_000]);
  });

  it('tells what is refused for good, and in which namespace', async () => {
    const { journal, note } = start(() => Promise.reject(new InvalidArgumentError('a test', 'something else', 1)));
    const conflicts: JournalConflict[] = [];
    journal.onConflict((conflict) => void conflicts.push(conflict));
    note('k', 'first');
    expect(await journal.replay()).toBe(true);
    expect(conflicts).toEqual([
      { feature: 'test', name: 'k', namespace: 'n', why: expect.stringContaining('something else') as string },
    ]);
  });

  it('forgets the parts of who left, when they are empty', async () => {
    let there = false;
    const { journal, scope, note } = start(() => (there ? Promise.resolve(true) : Promise.reject(away)));
    note('k', 'first');
    let left = false;
    const leaving = scope.close().then(() => (left = true));
    await journal.replay();
    expect([left, journal.size.entries]).toEqual([false, 1]);
    there = true;
    await journal.replay();
    await leaving;
    expect([left, journal.empty]).toEqual([true, true]);
  });
});
