import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';

describe('settings', () => {
  it('S4.4: have the documented names and at least one worker', () => {
    const { names, workers } = readSettings({ OCR_WORKERS: '', REDIS_PUBSUB_CHANNEL: '' });
    expect(names).toEqual({
      queue: 'ocr:task:queue',
      record: 'ocr:task:data',
      stats: 'ocr:stats',
      notices: 'ocr:notifications',
      session: 'ocr:session',
    });
    expect(workers).toBeGreaterThanOrEqual(1);
  });

  it('S4.4, X.1: follow the environment', () => {
    const { names, workers } = readSettings({
      REDIS_TASK_QUEUE_PREFIX: '{o}:q',
      REDIS_TASK_DATA_PREFIX: '{o}:d',
      REDIS_STATS_PREFIX: '{o}:s',
      REDIS_PUBSUB_CHANNEL: '{o}:n',
      REDIS_SESSION_PREFIX: '{s}:s',
      OCR_WORKERS: '0',
    });
    expect(names).toEqual({ queue: '{o}:q', record: '{o}:d', stats: '{o}:s', notices: '{o}:n', session: '{s}:s' });
    expect(workers).toBe(0);
  });

  it('bound what waits on disk, where they say so', () => {
    expect(readSettings({ OCR_JOURNAL_BYTES: '' }).journalBytes).toBeUndefined();
    expect(readSettings({ OCR_JOURNAL_BYTES: '4096' }).journalBytes).toBe(4_096);
    expect(() => readSettings({ OCR_JOURNAL_BYTES: '4 MB' })).toThrow('OCR_JOURNAL_BYTES: expected a whole number');
  });

  it.each(['-1', '65', '1.5', 'two', '1000'])('refuse OCR_WORKERS=%s', (value) => {
    expect(() => readSettings({ OCR_WORKERS: value })).toThrow(
      `OCR_WORKERS: expected a whole number from 0 to 64, received "${value}"`,
    );
  });
});
