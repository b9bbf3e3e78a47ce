import { describe, expect, it } from 'vitest';
import { BusyError, ConcurrencyLimit } from '../src/concurrency-limit.js';

describe('a concurrency limit', () => {
  it('runs so many at a time, the others in the order they came', async () => {
    const limit = new ConcurrencyLimit(2, 10);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((number) =>
      limit.run(async () => {
        begun.push(number);
        await new Promise<void>((resolve) => void ends.push(resolve));
        return number;
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await all[1];
    await Promise.resolve();
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.();
    ends[2]?.();
    await all[2];
    await Promise.resolve();
    ends[3]?.();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('gives its place back when the work fails, and refuses beyond its line', async () => {
    const limit = new ConcurrencyLimit(1, 1);
    const failing = limit.run(() => Promise.reject(new Error('no')));
    const waiting = limit.run(() => Promise.resolve('yes'));
    await expect(limit.run(() => Promise.resolve('never'))).rejects.toThrow(BusyError);
    await expect(failing).rejects.toThrow('no');
    expect(await waiting).toBe('yes');
    expect(await limit.run(() => Promise.resolve('again'))).toBe('again');
  });
});
