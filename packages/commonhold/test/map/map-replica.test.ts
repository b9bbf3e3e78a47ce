import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../src/errors.js';
import type { MapPage } from '../../src/map/map-port.js';
import { MapReplica } from '../../src/map/map-replica.js';
import { createManualClock } from '../../src/testing/manual-clock.js';
import { seededRandom } from '../../src/testing/random.js';

type Answer = (page: MapPage | Error) => void;

const note = (): void => undefined;
const context = { clock: createManualClock(), random: seededRandom(1), log: { info: note, warn: note, error: note } };

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
      readChanges: async () => ({ changes: [], complete: true }),
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
