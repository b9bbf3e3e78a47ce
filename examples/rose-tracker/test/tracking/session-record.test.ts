import { describe, expect, it } from 'vitest';
import {
  mostRanges,
  mostRoses,
  newSession,
  type SessionRecord,
  withFrame,
  withSettled,
  withStop,
} from '../../src/tracking/session-record.js';

const begun = newSession(1, 100);

function after(session: SessionRecord, frame: number, roses: readonly (string | number)[], now = 101): SessionRecord {
  const next = withFrame(session, frame, roses, now);
  expect(next.outcome).toBe('added');
  return next.session;
}

describe('a session record', () => {
  it('S0.9: begins with the fields of the document', () => {
    expect(begun).toMatchObject({
      start_time: 100,
      last_update: 100,
      last_count_update: 100,
      display_count: 0,
      frame_counts: [],
      session_unique_roses: [],
      frame_count: 0,
      session_number: 1,
    });
  });

  it('S0.9: keeps the last ten frame counts, and displays their median', () => {
    let session = begun;
    for (let frame = 1; frame <= 12; frame += 1) {
      session = after(
        session,
        frame,
        Array.from({ length: frame }, (_, rose) => `r${rose}`),
        100 + frame,
      );
    }
    expect(session.frame_counts).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(session.display_count).toBe(8);
    expect(session.frame_count).toBe(12);
  });

  it('says when it was updated last, and when the count became another', () => {
    const one = after(begun, 1, ['a'], 101.5);
    const two = after(one, 2, ['b'], 102.5);
    expect([one.last_update, one.last_count_update]).toEqual([101.5, 101.5]);
    expect([two.last_update, two.last_count_update]).toEqual([102.5, 101.5]);
  });

  it('does not go back in time when a worker with a slow clock adds a frame', () => {
    expect(after(after(begun, 1, ['a'], 200), 2, ['b', 'c'], 150).last_update).toBe(200);
  });

  it('counts a rose once in a frame and once in a session, whether it is called 7 or "7"', () => {
    const session = after(after(begun, 1, ['a', 'a', 7, '7']), 2, ['7', 'b']);
    expect(session.frame_counts).toEqual([2, 2]);
    expect(session.session_unique_roses).toEqual(['a', 7, 'b']);
  });

  it('is not changed by a frame that it has', () => {
    const session = after(begun, 1, ['a']);
    expect(withFrame(session, 1, ['b'], 300)).toEqual({ session, outcome: 'repeated' });
  });

  it('remembers which roses are new until they are settled', () => {
    const one = after(begun, 1, ['a', 'b']);
    const two = after(one, 2, ['b', 'c']);
    expect(two.unsettled_roses).toEqual(['a', 'b', 'c']);
    expect(withSettled(two, ['a', 'b']).unsettled_roses).toEqual(['c']);
  });

  it('refuses more roses than it may hold, and changes nothing', () => {
    const full = after(
      begun,
      1,
      Array.from({ length: mostRoses }, (_, rose) => rose),
    );
    expect(withFrame(full, 2, ['one more'], 101)).toEqual({ session: full, outcome: 'too many roses' });
    expect(withFrame(full, 2, [1, 2, 3], 101).outcome).toBe('added');
  });

  it('refuses more gaps than it may have, but takes what closes one', () => {
    const ranges = Array.from({ length: mostRanges }, (_, index) => [index * 2, index * 2] as const);
    const torn = { ...begun, frame_ranges: ranges };
    expect(withFrame(torn, mostRanges * 2 + 1, [], 101)).toEqual({ session: torn, outcome: 'too many gaps' });
    expect(after(torn, 1, []).frame_ranges).toHaveLength(mostRanges - 1);
  });

  it('stops once', () => {
    const stopped = withStop(begun, 130);
    expect(stopped.stopped_at).toBe(130);
    expect(withStop(stopped, 140)).toBe(stopped);
  });
});
