import { describe, expect, it } from 'vitest';
import {
  emptyPersistentRecord,
  type HistoryEntry,
  historyEntry,
  keptSessions,
  withHistoryEntry,
  withNumberFor,
} from '../../src/tracking/persistent-record.js';
import { newSession, withFrame, withStop } from '../../src/tracking/session-record.js';

function entry(number: number): HistoryEntry {
  return historyEntry(`session-${number}`, withStop(newSession(number, number), number + 1));
}

describe('the persistent record', () => {
  it('S0.10: gives numbers one after the other, and knows whose the last one is', () => {
    const two = withNumberFor(withNumberFor(emptyPersistentRecord, 'first'), 'second');
    expect(two).toEqual({ session_history: [], last_session_id: 'second', next_session_number: 3 });
  });

  it('keeps an entry once, however often it is added', () => {
    const once = withHistoryEntry(emptyPersistentRecord, entry(1));
    expect(withHistoryEntry(once, { ...entry(1), end_time: 99 })).toBe(once);
  });

  it('keeps the last sessions alone, in their order', () => {
    let record = emptyPersistentRecord;
    for (let number = 1; number <= keptSessions + 5; number += 1) record = withHistoryEntry(record, entry(number));
    expect(record.session_history).toHaveLength(keptSessions);
    expect(record.session_history.at(0)?.session_number).toBe(6);
    expect(record.session_history.at(-1)?.session_number).toBe(keptSessions + 5);
  });

  it('sums a session up', () => {
    const { session } = withFrame(newSession(4, 100), 1, ['a', 'b'], 101);
    expect(historyEntry('id', withStop(session, 130))).toEqual({
      session_id: 'id',
      session_number: 4,
      start_time: 100,
      end_time: 130,
      duration: 30,
      frame_count: 1,
      unique_roses: 2,
      display_count: 2,
    });
  });
});
