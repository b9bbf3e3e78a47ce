import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify, type FastifyRequest } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as forFastify from '../../src/adapters/fastify.js';
import * as forNode from '../../src/adapters/http.js';
import type { Concurrency } from '../../src/concurrency/concurrency.js';
import { openState } from '../../src/open-state.js';
import type { SharedState } from '../../src/shared-state.js';
import type { RateLimit } from '../../src/rate-limit/rate-limit.js';
import type { RateLimitRules } from '../../src/rate-limit/rule-set.js';
import { eventually } from '../../src/testing/waiting.js';

type AnyRequest = Pick<IncomingMessage | FastifyRequest, 'headers'>;

/** What both kinds of servers are asked for. */
interface Wanted {
  readonly limits?: readonly { limit: RateLimit; subject?: (request: AnyRequest) => string; weight?: number }[];
  readonly one?: {
    limit: RateLimit;
    weight?: (request: AnyRequest) => number;
    rule?: (request: AnyRequest) => RateLimitRules | undefined;
  };
  readonly slots?: { limit: Concurrency; wait?: `${number}s`; work: () => Promise<void> };
}

type Start = (wanted: Wanted) => Promise<string>;

const startNode: Start = async ({ limits, one, slots }) => {
  const guards: forNode.LimitRequest[] = [];
  if (limits !== undefined) guards.push(forNode.limitRequests(limits));
  if (one !== undefined) {
    const { limit, ...cost } = one;
    guards.push(forNode.limitRequests(limit, cost));
  }
  if (slots !== undefined) {
    const { limit, wait } = slots;
    guards.push(forNode.limitConcurrency(limit, wait === undefined ? {} : { wait }));
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const guard of guards) if (!(await guard(request, response))) return;
    await slots?.work();
    response.end('done');
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const startFastify: Start = async ({ limits, one, slots }) => {
  const app = fastify({ forceCloseConnections: true });
  if (limits !== undefined) app.addHook('onRequest', forFastify.limitRequests(limits));
  if (one !== undefined) {
    const { limit, ...cost } = one;
    app.addHook('onRequest', forFastify.limitRequests(limit, cost));
  }
  if (slots !== undefined) {
    const { limit, wait } = slots;
    app.addHook('onRequest', forFastify.limitConcurrency(limit, wait === undefined ? {} : { wait }));
  }
  app.get('/', async () => {
    await slots?.work();
    return 'done';
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  return url;
};

async function open(): Promise<SharedState> {
  const state = await openState({ redis: false, namespace: 'n' });
  onTestFinished(() => state.close());
  return state;
}

describe.each([
  ['node:http', startNode],
  ['fastify', startFastify],
])('%s', (_, start) => {
  it('counts a request by address and by account, under both or under none', async () => {
    const state = await open();
    const byAddress = state.rateLimit('address', '3 per hour');
    const byAccount = state.rateLimit('account', ['1 per minute', '5 per day']);
    const subject = (request: AnyRequest): string => String(request.headers['x-account']);
    const url = await start({ limits: [{ limit: byAddress }, { limit: byAccount, subject }] });
    const ask = (account: string): Promise<Response> => fetch(url, { headers: { 'X-Account': account } });
    const first = await ask('ada');
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-policy')).toBe(
      '"address";q=3;w=3600, "account/1m";q=1;w=60, "account/1d";q=5;w=86400',
    );
    expect(first.headers.get('ratelimit')).toMatch(
      /^"address";r=2;t=3600, "account\/1m";r=0;t=60, "account\/1d";r=4;t=/,
    );
    const second = await ask('ada');
    expect(second.status).toBe(429);
    expect(await second.json()).toMatchObject({ 'violated-policies': ['account/1m'] });
    expect((await byAddress.peek('127.0.0.1')).remaining).toBe(2);
    expect([(await ask('bob')).status, (await ask('eve')).status, (await ask('zoe')).status]).toEqual([200, 200, 429]);
    expect((await byAccount.peek('zoe')).remaining).toBe(1);
  });

  it('counts by weight and by plan', async () => {
    const limit = (await open()).rateLimit('l', '2 per hour');
    const url = await start({
      one: {
        limit,
        weight: ({ headers }) => Number(headers['x-weight'] ?? 1),
        rule: ({ headers }) => (headers['x-plan'] === 'pro' ? '10 per hour' : undefined),
      },
    });
    const ask = async (headers: Record<string, string>): Promise<string> => {
      const answer = await fetch(url, { headers });
      return `${answer.status} ${answer.headers.get('ratelimit')?.replace(/;t=.*/, '')}`;
    };
    expect(await ask({ 'X-Weight': '2' })).toBe('200 "l";r=0');
    expect(await ask({})).toBe('429 "l";r=0');
    expect(await ask({ 'X-Plan': 'pro', 'X-Weight': '3' })).toBe('200 "l";r=5');
  });

  it('answers 403 to a denied client, for which there is no time to come back, and 429 to a blocked one', async () => {
    const state = await open();
    const url = await start({ limits: [{ limit: state.rateLimit('l', '9 per hour', { deny: ['127.0.0.1'] }) }] });
    const denied = await fetch(url);
    expect([denied.status, denied.headers.get('retry-after'), denied.headers.get('ratelimit')]).toEqual([
      403,
      null,
      null,
    ]);
    expect(denied.headers.get('content-type')).toBe('application/problem+json');
    const limit = state.rateLimit('m', '9 per hour');
    const other = await start({ one: { limit } });
    await limit.block('127.0.0.1', '1m');
    const blocked = await fetch(other);
    expect([blocked.status, blocked.headers.get('retry-after'), blocked.headers.get('ratelimit')]).toEqual([
      429,
      '60',
      '"m";r=0;t=60',
    ]);
    expect(await blocked.json()).toMatchObject({ detail: 'This client is blocked for a time. Try again in 60 s.' });
  });

  it('lets only so many requests be under way, and one that waits follow when another has been answered', async () => {
    const limit = (await open()).concurrency('l', 1);
    const ends: (() => void)[] = [];
    const work = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const url = await start({ slots: { limit, work } });
    const patient = await start({ slots: { limit, wait: '10s', work } });
    const first = fetch(url);
    await eventually(() => expect(ends).toHaveLength(1));
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    const waiting = fetch(patient);
    const gone = new AbortController();
    const left = fetch(patient, { signal: gone.signal }).catch(() => 'left');
    await eventually(async () => expect((await limit.count('127.0.0.1')).waiting).toBe(2));
    gone.abort();
    expect(await left).toBe('left');
    await eventually(async () => expect((await limit.count('127.0.0.1')).waiting).toBe(1));
    ends[0]?.();
    expect((await first).status).toBe(200);
    await eventually(() => expect(ends).toHaveLength(2));
    ends[1]?.();
    expect((await waiting).status).toBe(200);
    await eventually(async () => expect(await limit.count('127.0.0.1')).toEqual({ used: 0, waiting: 0 }));
  });

  it('frees the slot of a client that goes away', async () => {
    const limit = (await open()).concurrency('l', 1);
    const url = await start({ slots: { limit, work: () => new Promise(() => undefined) } });
    const gone = new AbortController();
    const left = fetch(url, { signal: gone.signal }).catch(() => 'left');
    await eventually(async () => expect((await limit.count('127.0.0.1')).used).toBe(1));
    gone.abort();
    await left;
    await eventually(async () => expect((await limit.count('127.0.0.1')).used).toBe(0));
  });
});

/** An option that no compiler let pass. */
const unknownOption: object = { cost: 2 };

describe.each([
  ['node:http', forNode],
  ['fastify', forFastify as unknown as typeof forNode],
])('a limit of requests, %s', (_, { limitRequests, limitConcurrency }) => {
  it('of no limit, or with an option that none has, is refused', async () => {
    const state = await open();
    const limit = state.rateLimit('l', '1 per hour');
    expect(() => limitRequests([])).toThrow(/at least one limit/);
    expect(() => limitRequests([{ limit, ...unknownOption }])).toThrow(/only the options/);
    expect(() => limitRequests([{ limit }], unknownOption)).toThrow(/only the options/);
    expect(() => limitRequests(limit, unknownOption)).toThrow(/only the options/);
    expect(() => limitConcurrency(state.concurrency('l', 1), unknownOption)).toThrow(/only the options/);
    // @ts-expect-error several limits have weights of their own
    expect(() => limitRequests([{ limit }], { weight: 2 })).toThrow(/only the options/);
  });
});
