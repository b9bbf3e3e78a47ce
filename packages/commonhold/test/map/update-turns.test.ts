import { describe, expect, it } from 'vitest';
import { UpdateTurns } from '../../src/map/update-turns.js';

function known(value: string): { value: string; version: number } {
  return { value, version: 1 };
}

describe('turns of updates', () => {
  it('run one after another for one key, also after a failure, and at once for several', async () => {
    const turns = new UpdateTurns();
    const events: string[] = [];
    const work = (name: string) => async (): Promise<string> => {
      events.push(`begin ${name}`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`end ${name}`);
      if (name === 'two') throw new Error('no luck');
      return name;
    };
    const runs = [
      turns.run('a', work('one')),
      turns.run('a', work('two')),
      turns.run('a', work('three')),
      turns.run('b', work('other')),
    ];
    expect((await Promise.allSettled(runs)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(events.filter((event) => !event.endsWith('other'))).toEqual(
      ['one', 'two', 'three'].flatMap((name) => [`begin ${name}`, `end ${name}`]),
    );
    expect(events.indexOf('begin other')).toBeLessThan(events.indexOf('end one'));
  });

  it('remember what was written, until it is taken or forgotten', () => {
    const turns = new UpdateTurns();
    turns.remember('a', known('1'));
    turns.remember('b', known('2'));
    turns.forget(['b', 'c']);
    expect([turns.takeKnown('a'), turns.takeKnown('a'), turns.takeKnown('b')]).toEqual([
      known('1'),
      undefined,
      undefined,
    ]);
  });

  it('remember no more than 256 keys, the newest, and no large value', () => {
    const turns = new UpdateTurns();
    for (let n = 0; n < 257; n++) turns.remember(String(n), known('1'));
    turns.remember('large', known('x'.repeat(16 * 1024 + 1)));
    expect([turns.takeKnown('0'), turns.takeKnown('large')]).toEqual([undefined, undefined]);
    expect([turns.takeKnown('1'), turns.takeKnown('256')]).toEqual([known('1'), known('1')]);
  });
});
