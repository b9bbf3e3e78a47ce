import { describe, expect, it } from 'vitest';
import { parseReport } from '../../../src/backend/redis/sentinels.js';

function details(fields: Readonly<Record<string, string>>): string[] {
  return Object.entries(fields).flat();
}

describe('what a sentinel says of the master', () => {
  it('is where it is, and since which failover', () => {
    const known = details({ ip: 'a', port: '1', flags: 'master', 'config-epoch': '7' });
    expect(parseReport(['a', '1'], known, 'm')).toEqual({ host: 'a', port: 1, epoch: 7, down: false });
  });

  it.each(['master,o_down', 'master,failover_in_progress'])('is that it is down, by the flags %s', (flags) => {
    expect(parseReport(['a', '1'], details({ ip: 'a', port: '1', flags }), 'm')).toMatchObject({ down: true });
  });

  it('is newer while a failover has a successor already, which is not down', () => {
    const old = details({ ip: 'a', port: '1', flags: 'master,o_down,failover_in_progress', 'config-epoch': '7' });
    expect(parseReport(['b', '2'], old, 'm')).toEqual({ host: 'b', port: 2, epoch: 7.5, down: false });
  });

  it.each([null, [], ['', '1'], ['a', 'x'], 'a'])('is refused when it is %j', (address) => {
    expect(() => parseReport(address, [], 'm')).toThrow("the sentinels know no master 'm'");
  });
});
