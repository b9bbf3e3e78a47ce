import { describe, expect, it } from 'vitest';
import { ask, LogLines, serve } from '../serving.js';
import { canary, tinySystem } from '../tiny-system.js';

describe('the log', () => {
  it('has one line a request, by its route', async () => {
    const log = new LogLines();
    const { url } = await serve([tinySystem()], { logStream: log });
    await ask(`${url}/tiny/person/41`);
    await ask(`${url}/nowhere/${canary}`);
    const lines = log.records().filter(({ msg }) => msg === 'request');
    const ms = expect.any(Number) as number;
    expect(lines).toMatchObject([
      { method: 'GET', route: '/tiny/person/:age', status: 200, ms, ip: '127.0.0.1' },
      { method: 'GET', status: 404, ms },
    ]);
    expect(log.text).not.toContain(canary);
  });

  it('is silent about probes', async () => {
    const log = new LogLines();
    const { url } = await serve([tinySystem()], { logStream: log });
    for (const path of ['/health', '/live', '/ready']) await ask(url + path);
    expect(log.records().filter(({ msg }) => msg === 'request')).toEqual([]);
  });

  it('S3.14, S4.21: shows no secret, wherever it came from', async () => {
    const log = new LogLines();
    const { url } = await serve([tinySystem()], { logStream: log, variables: { LOG_LEVEL: 'trace' } });
    const headers = { authorization: `Bearer ${canary}`, cookie: `sid=${canary}` };
    for (const path of ['/tiny/log', '/tiny/nowhere', '/tiny/refused', '/socket.io/', '/']) {
      await ask(`${url}${path}?token=${canary}`, { headers });
    }
    expect(log.records().some(({ msg }) => msg === 'look')).toBe(true);
    expect(log.text).toContain('[Redacted]');
    expect(log.text).not.toContain(canary);
  });

  it('goes by LOG_LEVEL', async () => {
    const log = new LogLines();
    const { url } = await serve([tinySystem()], { logStream: log, variables: { LOG_LEVEL: 'warn' } });
    await ask(`${url}/tiny/log`);
    expect(log.lines).toEqual([]);
  });
});
