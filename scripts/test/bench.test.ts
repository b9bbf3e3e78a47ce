import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../bench/arguments.mjs';
import { judge, measure, wantedLines, type Workload } from '../../bench/harness.mjs';
import { describe as describeOutcome, figure } from '../../bench/report.mjs';
import { best, meets, spread, summarize } from '../../bench/statistics.mjs';

const args = { quick: true, json: false, only: '', rounds: 2, sampleMs: 1 };
const place = { url: '', command: async () => undefined, args };

describe('statistics of the bench', () => {
  it('takes the middle of samples in any order, and the mean of two middles', () => {
    expect(summarize([30, 10, 20])).toEqual({ median: 20, low: 10, high: 30 });
    expect(summarize([4, 1, 3, 2]).median).toBe(2.5);
    expect(summarize([100, 9]).median).toBe(54.5);
    expect(spread(summarize([90, 100, 120]))).toBeCloseTo(0.3);
  });

  it('reads goals both ways, and refuses what is none', () => {
    expect([meets('>= 2.2', 2.2), meets('>= 2.2', 2.19), meets('<= 0.85', 0.85), meets('<= 0.85', 0.86)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(() => meets('2.2', 3)).toThrow('No goal: 2.2');
  });

  it('takes the peer that is hardest to beat', () => {
    const peers = [5, 7, 6].map((median) => ({ summary: { median, low: median, high: median } }));
    expect(best(peers, '>= 2')?.summary.median).toBe(7);
    expect(best(peers, '<= 0.6')?.summary.median).toBe(5);
    expect(best([], '>= 2')).toBeUndefined();
  });

  it('measures against peers as shipped, not tuned ones, and a lone figure against its goal', () => {
    const result = (name: string, kind: 'ours' | 'peer' | 'tuned', median: number) => ({
      name,
      kind,
      summary: summarize([median]),
    });
    const results = [result('we', 'ours', 20), result('slow', 'peer', 5), result('they', 'peer', 8)];
    const outcome = judge('x', { unit: 'ops/s', goal: '>= 2.5' }, [...results, result('fast', 'tuned', 100)]);
    expect([outcome.ratio, outcome.bestPeer, outcome.met]).toEqual([2.5, 'they', true]);
    expect(describeOutcome(outcome)).toContain('met    x: 2.50 of they (goal >= 2.5)');
    const alone = judge('y', { unit: 'jobs/s', goal: '>= 30' }, [result('we', 'ours', 20)]);
    expect([alone.ratio, alone.met]).toEqual([20, false]);
  });

  it.each([
    [1_234_567, '1.23M'],
    [45_600, '46k'],
    [1020, '1020'],
    [0.5821, '0.582'],
  ])('prints %d as %s', (value, text) => expect(figure(value)).toBe(text));
});

describe('arguments of the bench', () => {
  it('understands what it is asked', () => {
    expect(parseArguments([])).toEqual({ quick: false, json: false, only: '', rounds: 7, sampleMs: 1000 });
    expect(parseArguments(['--quick', '--json', '--only', 'Rate', '--rounds', '5'])).toEqual({
      quick: true,
      json: true,
      only: 'rate',
      rounds: 5,
      sampleMs: 200,
    });
  });

  it.each([[['--fast']], [['--rounds', '0']], [['--sample', 'x']], [['cache']]])(
    'refuses %j with the usage',
    (words) => {
      expect(() => parseArguments(words)).toThrow('npm run bench');
    },
  );
});

describe('a workload', () => {
  const told: string[] = [];
  const contestant = (name: string, figures: number[]) => async () => ({
    next: () => {
      told.push(name);
      return figures.shift() ?? 0;
    },
    close: () => void told.push(`${name} closed`),
  });
  const workload: Workload = {
    title: 'Map',
    lines: [
      { title: 'get', unit: 'ops/s', goal: '>= 1', sample: async (it) => it.next() as number },
      { title: 'a million', unit: 'ops/s', goal: '>= 1', long: true, sample: async () => 1 },
    ],
    ours: { a: contestant('a', [1000, 4, 6]) },
    peers: { b: contestant('b', [1000, 1, 3]) },
  };

  it('is asked in turn, warms up first, and is closed', async () => {
    const outcomes = [];
    for await (const outcome of measure(workload, place)) outcomes.push(outcome);
    expect(told).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a closed', 'b closed']);
    expect(outcomes.map(({ title, ratio }) => [title, ratio])).toEqual([['Map, get', 2.5]]);
  });

  it('is chosen by a part of its name, long lines only without --quick', () => {
    const titles = (changed: object): string[] =>
      wantedLines(workload, { ...args, ...changed }).map(({ title }) => title);
    expect(titles({})).toEqual(['get']);
    expect(titles({ quick: false })).toEqual(['get', 'a million']);
    expect(titles({ only: 'map, g' })).toEqual(['get']);
    expect(titles({ only: 'cache' })).toEqual([]);
  });
});
