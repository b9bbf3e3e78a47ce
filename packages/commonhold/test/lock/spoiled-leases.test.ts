import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import { useServer } from '../engines.js';

const corrupt = { code: 'CorruptState' };
/** What is not a whole number, though Lua or C may take some of it for a number. */
const texts = ['abc', '', 'nan', '-1', '0x10', '1e99', '99999999999999999'];

describe('a lease whose end, or whose token, another program wrote', () => {
  const server = useServer();
  let state: SharedState;
  beforeAll(async () => {
    state = await openState({ namespace: 'n', redis: server().url });
  });
  afterAll(() => state.close());

  const write = (key: string, ...fields: string[]): Promise<unknown> => server().command('HSET', key, ...fields);
  const read = (key: string): Promise<unknown> => server().command('HGETALL', key);

  it('F27: a lock is not given, its status is unknown, and what is there stays', async () => {
    const lock = state.lock('l');
    for (const fields of texts.flatMap((text) => [
      ['holder', 'x:1', 'ends_at', text],
      ['holder', 'x:1', 'ends_at', '1', 'token', text],
    ])) {
      await server().command('DEL', 'n:lock:{l}');
      await write('n:lock:{l}', ...fields);
      await expect(lock.tryAcquire(), String(fields)).rejects.toMatchObject(corrupt);
      expect(await read('n:lock:{l}')).toEqual(fields);
    }
    await server().command('DEL', 'n:lock:{l}');
    await write('n:lock:{l}', 'holder', 'x:1');
    await expect(lock.tryAcquire()).rejects.toMatchObject(corrupt);
    await expect(lock.acquire({ wait: '1m' })).rejects.toMatchObject(corrupt);
    await expect(lock.status()).rejects.toMatchObject(corrupt);
  });

  it('F27: a lock for readers and writers is given to neither', async () => {
    const lock = state.readWriteLock('rw');
    for (const fields of [
      ['writer', 'x:write-1', 'ends_at', 'abc'],
      ['writer', 'x:write-1', 'ends_at', '1', 'token', 'abc'],
    ]) {
      await server().command('DEL', 'n:read-write-lock:{rw}');
      await write('n:read-write-lock:{rw}', ...fields);
      await expect(lock.write.tryAcquire()).rejects.toMatchObject(corrupt);
      await expect(lock.read.tryAcquire()).rejects.toMatchObject(corrupt);
      await expect(lock.status()).rejects.toMatchObject(corrupt);
      expect(await read('n:read-write-lock:{rw}')).toEqual(fields);
    }
  });

  it('F27: nothing is run again of which it cannot be said whether it runs', async () => {
    const run = state.runOnce<number>('r');
    for (const fields of [
      ['holder', 'x:1', 'ends_at', 'abc'],
      ['holder', 'x:1', 'ends_at', '1', 'attempts', 'abc'],
      ['holder', 'x:1', 'finished_at', 'abc', 'result', '7'],
    ]) {
      await server().command('DEL', 'n:run-once:{r:k}');
      await write('n:run-once:{r:k}', ...fields);
      await expect(run.run('k', () => 1)).rejects.toMatchObject(corrupt);
      expect(await read('n:run-once:{r:k}')).toEqual(fields);
    }
    await expect(run.get('k')).rejects.toMatchObject(corrupt);
    // Who knows better may say so.
    await run.forget('k');
    expect(await run.run('k', () => 1)).toBe(1);
  });

  it('F27: an orphan of whom it cannot be said whose it was is taken over by one', async () => {
    const other = await openState({ namespace: 'n', redis: server().url });
    await write('n:owners:{owners}:orphans', 'x', 'abc');
    const taken = await Promise.all([state, other].map(({ owners }) => owners.takeOver('x')));
    expect(taken.filter((hold) => hold !== undefined)).toHaveLength(1);
    expect(await state.owners.orphans()).toEqual([]);
    await other.close();
  });
});
