import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LocalBus } from '../../src/backend/memory/local-bus.js';
import { createMemoryStore } from '../../src/backend/memory/memory-store.js';
import { UnavailableError } from '../../src/errors.js';
import { createKeys } from '../../src/keys.js';
import type { MapPage } from '../../src/map/map-port.js';
import { MapReplica } from '../../src/map/map-replica.js';
import { MemoryMap } from '../../src/map/memory-map.js';
import { openState } from '../../src/open-state.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { seededRandom } from '../../src/testing/random.js';

type Answer = (page: MapPage | Error) => void;

const note = (): void => undefined;
const context = {
  clock: createManualClock(),
  random: seededRandom(1),
  log: { info: note, warn: note, error: note },
  bus: new LocalBus(),
};

/** A page with one entry. */
function pageOf(key: string, cursor: string): MapPage {
  const record = { value: '1', version: 1, owner: 'o', expiresAtMs: undefined };
  return { entries: [[key, record]], cursor, version: 1, nowMs: 0 };
}

/** A replica whose pages are answered here, one after the other, and which can be told that changes were missed. */
function open(): {
  replica: MapReplica<string>;
  opened: Promise<void>;
  answers: Answer[];
  resync: () => Promise<void>;
} {
  const answers: Answer[] = [];
  let resync = (): Promise<void> => Promise.resolve();
  const replica = new MapReplica<string>(
    {
      name: 'm',
      page: () =>
        new Promise((resolve, reject) => {
          answers.push((page) => (page instanceof Error ? reject(page) : resolve(page)));
        }),
      listen: async (_, onResync) => {
        resync = onResync;
        return { close: note };
      },
      readChanges: async () => ({ changes: [], unreadable: [], complete: true }),
      readEntry: async (key) => [{ key, value: key, version: 1, owner: 'o', expiresAtMs: undefined }],
    },
    context,
  );
  return { replica, opened: replica.open(), answers, resync: () => resync() };
}

describe('a replica that is told to begin anew while it is read for the first time', () => {
  it('is ready when the second reading is complete, and not before', async () => {
    const { replica, opened, answers, resync } = open();
    await expect.poll(() => answers.length).toBe(1);
    const resynced = resync();
    answers[0]?.(pageOf('a', '7'));
    const second = answers[1];
    let isOpen = false;
    void opened.then(() => (isOpen = true));
    await new Promise(setImmediate);
    expect(isOpen).toBe(false);
    second?.(pageOf('b', '0'));
    await Promise.all([opened, resynced]);
    expect([...replica.keys()]).toEqual(['b']);
  });

  it('is refused when the second reading fails', async () => {
    const { opened, answers, resync } = open();
    await expect.poll(() => answers.length).toBe(1);
    const resynced = resync();
    answers[0]?.(pageOf('a', '0'));
    answers[1]?.(new UnavailableError('map.page', 'no connection'));
    await expect(opened).rejects.toMatchObject({ code: 'Unavailable' });
    await resynced;
  });
});

describe('a replica among values of a newer version', () => {
  it('leaves them out, and does not read the whole map for each', async () => {
    const store = createMemoryStore();
    const lines: string[] = [];
    const log = { info: note, warn: note, error: (_: object, line: string): void => void lines.push(line) };
    const state = await openState({ namespace: 'newer', memory: store, log });
    onTestFinished(() => state.close());
    const map = state.map<number>('m', { changes: true });
    await map.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    const replica = await map.replica();
    let resyncs = 0;
    await map.subscribe(note, { onResync: () => void resyncs++ });
    const newer = new MemoryMap(store, createKeys('newer'));
    const space = { name: 'm', prefix: undefined, timed: false, changes: true };
    for (let n = 0; n < 3; n++) await newer.set(space, 'o', [['a', Buffer.from([0x1f])]], undefined);
    await map.set('c', 3);
    await expect.poll(() => Object.fromEntries(replica)).toEqual({ b: 2, c: 3 });
    // A reading of the map would say so of the entry.
    expect(lines).toEqual(Array.from({ length: 3 }, () => 'a change cannot be read'));
    await expect.poll(() => resyncs).toBe(3);
    await newer.delete(space, 'o', ['a']);
    await map.set('a', 4);
    await expect.poll(() => replica.get('a')).toBe(4);
  });
});

describe('a replica that is closed', () => {
  it('can be forgotten while its state lives on', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const state = await openState({ namespace: 'closed', memory: createMemoryStore() });
    onTestFinished(() => state.close());
    const replicaOf = async (): Promise<WeakRef<MapReplica<number>>> => {
      const replica = await state.map<number>('m', { changes: true }).replica();
      replica.close();
      return new WeakRef(replica);
    };
    const reference = await replicaOf();
    await expect
      .poll(() => {
        collect();
        return reference.deref() === undefined;
      })
      .toBe(true);
  });
});
