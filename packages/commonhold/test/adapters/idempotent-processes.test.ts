import { describe, expect, it } from 'vitest';
import { idempotentRequests } from '../../src/adapters/http.js';
import { openState } from '../../src/open-state.js';
import { eventually } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';
import { useHolderProcesses } from '../lock/holder-processes.js';
import { post, serveNode } from './keyed-sites.js';

describe('idempotent requests over real processes', { timeout: 60_000 }, () => {
  const server = useServer();
  const start = useHolderProcesses();

  it('a request whose process was killed is run by the next one that comes, when its lease is over', async () => {
    const { child, said } = await start(server().url, 'killed', 'serve');
    await using state = await openState({ redis: server().url, namespace: 'killed' });
    const serve = idempotentRequests(state, { scope: () => 'all', lease: '2s' });
    const site = await serveNode((request, response) =>
      serve(request, response, (run) => response.end(`attempt ${run?.attempt}`)),
    );
    const lost = post(`http://127.0.0.1:${said[0]?.port}/`, 'key', 'body').catch(() => 'lost');
    await eventually(() => expect(said).toContainEqual({ attempt: 1 }));
    expect((await post(`${site}/`, 'key', 'body')).status).toBe(409);
    child.kill('SIGKILL');
    expect(await lost).toBe('lost');
    expect((await post(`${site}/`, 'key', 'another body')).status).toBe(422);
    await eventually(
      async () => {
        const got = await post(`${site}/`, 'key', 'body');
        expect([got.status, got.text]).toEqual([200, 'attempt 2']);
      },
      { timeoutMs: 8_000 },
    );
    expect((await post(`${site}/`, 'key', 'body')).replayed).toBe(true);
  });

  it('a process that stood still sends the answer of the one that took over', async () => {
    const { child, said } = await start(server().url, 'stopped', 'serve');
    await using state = await openState({ redis: server().url, namespace: 'stopped' });
    const serve = idempotentRequests(state, { scope: () => 'all', lease: '2s' });
    const site = await serveNode((request, response) => serve(request, response, () => response.end('fresh')));
    const stale = post(`http://127.0.0.1:${said[0]?.port}/`, 'key', 'body');
    await eventually(() => expect(said).toContainEqual({ attempt: 1 }));
    child.kill('SIGSTOP');
    await eventually(async () => expect((await post(`${site}/`, 'key', 'body')).text).toBe('fresh'), {
      timeoutMs: 8_000,
    });
    child.kill('SIGCONT');
    const got = await stale;
    expect([got.text, got.replayed]).toEqual(['fresh', true]);
    child.kill('SIGKILL');
  });
});
