import { describe, expect, it } from 'vitest';
import { memoryEngine } from '../../src/testing/engine.js';

/** A row with a fence beside its value, as docs/features/lock.md recommends. */
class Row {
  value = 0;
  #fence = 0;

  /** What `update … set fence = $1 where fence <= $1` does. */
  raise(token: number): boolean {
    if (token < this.#fence) return false;
    this.#fence = token;
    return true;
  }

  write(token: number, value: number): boolean {
    if (!this.raise(token)) return false;
    this.value = value;
    return true;
  }
}

/** A holder adds 1 to what it read; it stands still in between, and another holder reads meanwhile. Returns the sum. */
async function race(readsRaiseTheFence: boolean): Promise<{ readonly sum: number; readonly written: number }> {
  const engine = await memoryEngine.start();
  const row = new Row();
  const read = (token: number): number => {
    if (readsRaiseTheFence) row.raise(token);
    return row.value;
  };
  try {
    const stale = await (await engine.open()).lock('row', { lease: '2s' }).acquire();
    if (stale === undefined) throw new Error('the lock was free');
    const staleToken = Number(stale.guard.token);
    const staleRead = read(staleToken);
    // As the end of its lease would free it, while it stands still.
    await stale.release();
    const other = await engine.open();
    const fresh = await other.lock('row', { lease: '2s' }).acquire();
    if (fresh === undefined) throw new Error('the lock was free');
    const freshToken = Number(fresh.guard.token);
    const freshRead = read(freshToken);
    const writes = [row.write(staleToken, staleRead + 1), row.write(freshToken, freshRead + 1)];
    return { sum: row.value, written: writes.filter(Boolean).length };
  } finally {
    await engine.close();
  }
}

describe('a fence beside what a lock protects', () => {
  it('H.6: that reads raise refuses the write of a holder that was overtaken', async () => {
    expect(await race(true)).toEqual({ sum: 1, written: 1 });
  });

  it('H.6: that only writes check lets it through, and an addition is lost', async () => {
    expect(await race(false)).toEqual({ sum: 1, written: 2 });
  });
});
