import { afterEach, describe, expect, it, vi } from 'vitest';
import { standardErrorLog } from '../src/log.js';

describe('standardErrorLog', () => {
  afterEach(() => vi.restoreAllMocks());

  it('writes warnings and errors as one line each, and nothing else', () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    standardErrorLog.info({ a: 1 }, 'not this');
    standardErrorLog.warn({ reason: 'line\nend' }, 'this');
    standardErrorLog.error({}, 'and this');
    expect(written.mock.calls.map(([line]) => line)).toEqual([
      'commonhold warn: this {"reason":"line\\nend"}\n',
      'commonhold error: and this {}\n',
    ]);
  });
});
