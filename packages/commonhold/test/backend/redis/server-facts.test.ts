import { describe, expect, it } from 'vitest';
import { parseServerFacts, stateWarning } from '../../../src/backend/redis/server-facts.js';
import { startRedisServer } from '../../../src/testing/redis-server.js';

const nothing = parseServerFacts('');

describe('parseServerFacts', () => {
  it('reads what a real server says', async () => {
    await using server = await startRedisServer({
      args: ['--maxmemory', '64mb', '--maxmemory-policy', 'volatile-ttl'],
    });
    const facts = parseServerFacts(String(await server.command('INFO')));
    expect(facts).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      clustered: false,
      role: 'master',
      evictionPolicy: 'volatile-ttl',
      maxMemoryBytes: 64 * 1024 * 1024,
      runId: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
    await server.restart();
    expect(parseServerFacts(String(await server.command('INFO'))).runId).not.toBe(facts.runId);
  });

  it('takes either line end, values with colons, and whatever is missing', () => {
    expect(parseServerFacts('# Server\nredis_version:7.0.15\nredis_mode:cluster\n')).toMatchObject({
      version: '7.0.15',
      clustered: true,
      role: '',
      maxMemoryBytes: 0,
    });
    expect(parseServerFacts('run_id:a:b\r\n:odd\r\nnonsense\r\n').runId).toBe('a:b');
    expect(nothing).toMatchObject({ version: '', evictionPolicy: '', clustered: false });
  });
});

describe('stateWarning', () => {
  it('H.3: names the policy that drops live keys and the one to set', () => {
    for (const evictionPolicy of ['allkeys-lru', 'volatile-lru', 'allkeys-random', 'volatile-ttl', 'allkeys-lfu']) {
      expect(stateWarning({ ...nothing, evictionPolicy })).toMatch(new RegExp(`${evictionPolicy}.*noeviction`));
    }
  });

  it('is silent where nothing is dropped, and where nothing is known', () => {
    expect(stateWarning({ ...nothing, evictionPolicy: 'noeviction' })).toBeUndefined();
    expect(stateWarning(nothing)).toBeUndefined();
  });
});
