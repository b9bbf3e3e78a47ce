import { describe, expect, it } from 'vitest';
import { evenWordTimer, type WordTiming } from '../../src/timing/word-timer.js';
import { speechSeconds, spokenText } from '../samples.js';

const timings = (text: string, durationSeconds = 10): readonly WordTiming[] =>
  evenWordTimer.compute({
    text,
    durationSeconds,
    path: '',
    voiceId: 'a',
    signal: new AbortController().signal,
  }) as WordTiming[];

describe('the built-in word timer', () => {
  it('spreads every word over the track, in order, and says that it is an estimate', () => {
    const words = timings(spokenText, speechSeconds);
    expect(words.map(({ word }) => word)).toEqual(spokenText.split(' '));
    expect(words[0]?.start).toBe(0);
    for (const [index, { start, end }] of words.entries()) {
      expect(end).toBeGreaterThan(start);
      expect(start).toBeGreaterThanOrEqual(words[index - 1]?.end ?? 0);
    }
    expect(words.at(-1)?.end).toBeLessThanOrEqual(speechSeconds);
    expect(words.at(-1)?.end).toBeGreaterThan(speechSeconds - 0.5);
    expect(evenWordTimer.method).toMatch(/estimate/);
  });

  it('gives longer words more time, letters counted as people count them', () => {
    const [short, long] = timings('a 👩‍🚀👩‍🚀 ', 10);
    expect((long?.end ?? 0) - (long?.start ?? 0)).toBeGreaterThan((short?.end ?? 0) - (short?.start ?? 0));
    expect(timings('one')).toHaveLength(1);
    expect(timings(' \n\t ')).toEqual([]);
  });
});
