import { hostname } from 'node:os';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../src/backend/memory/memory-store.js';
import type { Environment } from '../src/environment.js';
import { openState } from '../src/open-state.js';
import type { OpenOptions } from '../src/options.js';
import { startRedisServer } from '../src/testing/redis-server.js';
import { pause, waitUntil } from '../src/testing/waiting.js';
import { useServer } from './engines.js';
import { outcome, recordingLog, silentLog, timed } from './backend/redis/connected.js';
import { awkwardPasswords } from './backend/redis/passwords.js';
import { startSilentPort } from './backend/redis/silent-port.js';

const server = useServer();

/** Where a state lives with these options, and what it is called. */
async function opened(
  options: OpenOptions,
): Promise<{ kind: string; namespace: string; owner: string; connected: boolean }> {
  await using state = await openState({ log: silentLog, environment: {}, ...options });
  const { kind, connected } = state.status();
  return { kind, connected, namespace: state.namespace, owner: state.owner };
}

const refusal = (options: unknown): Promise<Error> =>
  openState({ log: silentLog, environment: {}, ...(options as OpenOptions) }).then(
    async (state) => {
      await state.close();
      return new Error('not refused');
    },
    (error: Error) => error,
  );

describe('where state lives', () => {
  const redis = (): string => server().url;
  const url = (): Environment => ({ REDIS_URL: redis() });

  it.each<[string, () => OpenOptions, string]>([
    ['memory when nothing is said', () => ({}), 'memory'],
    ['Redis when an option names it', () => ({ redis: redis() }), 'redis'],
    ['Redis when options name it at length', () => ({ redis: { url: redis() } }), 'redis'],
    ['Redis when the environment names it', () => ({ environment: url() }), 'redis'],
    [
      'memory when an option says so, whatever the environment says',
      () => ({ redis: false, environment: url() }),
      'memory',
    ],
    [
      'Redis when an option names it, whatever the environment says',
      () => ({ redis: redis(), environment: { USE_REDIS: 'false' } }),
      'redis',
    ],
    [
      'the store given, whatever the environment says',
      () => ({ memory: createMemoryStore(), environment: url() }),
      'memory',
    ],
    ['the store given, with Redis switched off', () => ({ redis: false, memory: createMemoryStore() }), 'memory'],
    [
      'memory when the environment switches Redis off',
      () => ({ environment: { ...url(), USE_REDIS: 'false' } }),
      'memory',
    ],
    [
      'memory when an option is left undefined',
      () => ({ redis: undefined as never, namespace: undefined as never }),
      'memory',
    ],
  ])('X.1, S0.1: is %s', async (_, options, kind) => {
    expect(await opened(options())).toMatchObject({ kind, connected: true });
  });

  it('S0.2, S4.3: is the server that host, port, database and password lead to', async () => {
    await using own = await startRedisServer();
    await own.command('CONFIG', 'SET', 'requirepass', 'pass word');
    const environment = {
      USE_REDIS: 'true',
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(own.port),
      REDIS_DB: '5',
      REDIS_PASSWORD: 'pass word',
    };
    await using state = await openState({ environment, log: silentLog });
    await state.cache('c').set('k', 1);
    await own.command('SELECT', '5');
    expect(await own.command('KEYS', 'default:cache:*')).toHaveLength(1);
  });

  it('is reached with every password through variables', async () => {
    await using own = await startRedisServer();
    for (const password of awkwardPasswords) {
      await own.command('CONFIG', 'SET', 'requirepass', password);
      const environment = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(own.port), REDIS_PASSWORD: password };
      await using state = await openState({ environment, log: silentLog });
      expect([password, state.status()]).toEqual([password, expect.objectContaining({ connected: true })]);
    }
  });
});

describe('what is refused', () => {
  it.each<[string, unknown, RegExp]>([
    ['a namespace with a colon', { namespace: 'a:b' }, /^namespace: expected .* received "a:b"/],
    ['an empty namespace', { namespace: '' }, /^namespace: /],
    ['a namespace that is no text', { namespace: 5 }, /^namespace: .* received 5/],
    ['a URL of something else', { redis: 'http://localhost' }, /^redis: expected a URL such as/],
    ['options without a URL', { redis: {} }, /^redis\.url: expected a URL such as .* received undefined/],
    ['no node of a cluster', { redis: { cluster: [] } }, /^redis\.cluster: expected the URL of at least one node/],
    ['a cluster that is no list', { redis: { cluster: 'redis://a' } }, /^redis\.cluster: expected a list of URLs/],
    ['a node that is no URL', { redis: { cluster: ['redis://a', 'b'] } }, /^redis\.cluster: expected a URL such as/],
    ['a database of a cluster', { redis: { cluster: ['redis://a/1'] } }, /^redis\.cluster: expected no database but 0/],
    [
      'two ways into one cluster',
      { redis: { cluster: ['redis://:x@a', 'redis://:y@b'] } },
      /^redis\.cluster: expected one user, password and scheme/,
    ],
    [
      'nodes with TLS and without',
      { redis: { cluster: ['redis://a', 'rediss://b'] } },
      /^redis\.cluster: expected one user, password and scheme/,
    ],
    ['a URL beside a cluster', { redis: { cluster: ['redis://a'], url: 'redis://b' } }, /^redis.*url/],
    ['a bad node in a variable', { environment: { REDIS_CLUSTER: 'a,b' } }, /^Environment variable REDIS_CLUSTER/],
    ['null for Redis', { redis: null }, /^redis: expected a URL such as .* received null/],
    ['true for Redis', { redis: true }, /^redis: expected a URL such as .* received true/],
    [
      'a URL in the environment',
      { environment: { REDIS_URL: 'nonsense' } },
      /^Environment variable REDIS_URL: expected a URL/,
    ],
    ['a host with a port', { environment: { REDIS_HOST: 'a:1' } }, /^Environment variable REDIS_HOST: /],
    [
      'a switch that is neither',
      { environment: { USE_REDIS: 'ja' } },
      /^Environment variable USE_REDIS: expected 'true' or 'false', received "ja"/,
    ],
    [
      'Redis and memory together',
      { redis: 'redis://localhost', memory: createMemoryStore() },
      /^openState: expected either redis or memory/,
    ],
    [
      'a deadline of zero',
      { redis: { url: 'redis://localhost', deadline: 0 } },
      /^redis\.deadline: expected a duration/,
    ],
    [
      'a cache deadline that is no duration',
      { redis: { url: 'redis://localhost', cacheDeadline: 'soon' } },
      /^redis\.cacheDeadline: /,
    ],
    ['an authority without TLS', { redis: { url: 'redis://localhost', ca: 'PEM' } }, /^redis\.ca: expected a rediss/],
    ['an owner with a hash sign', { owner: 'a#b' }, /^owner: expected 1 to 128 characters/],
    ['an owner in the environment', { environment: { CONTAINER_ID: 'a#b' } }, /^Environment variable CONTAINER_ID: /],
    ['a bound on values of zero', { maxValueBytes: 0 }, /^maxValueBytes: /],
    [
      'production on Redis without a namespace',
      { environment: { NODE_ENV: 'production' } },
      /^namespace: expected a name of this application/,
    ],
    [
      'production on a named Redis without one',
      { redis: 'redis://localhost', environment: { NODE_ENV: 'production' } },
      /^namespace: /,
    ],
  ])('%s', async (_, options, message) => {
    const error = await refusal(options);
    expect(error).toMatchObject({ code: 'InvalidArgument', message: expect.stringMatching(message) as string });
  });

  it('never production in memory, nor a namespace that is given', async () => {
    const production = { NODE_ENV: 'production' };
    expect(await opened({ redis: false, environment: production })).toMatchObject({ namespace: 'default' });
    expect(await opened({ redis: server().url, namespace: 'app', environment: production })).toMatchObject({
      namespace: 'app',
    });
  });

  it('leaves no connection behind', async () => {
    const clients = async (): Promise<number> =>
      String(await server().command('CLIENT', 'LIST'))
        .trim()
        .split('\n').length;
    const before = await clients();
    for (const options of [{ maxValueBytes: 0 }, { owner: '' }, { namespace: '' }]) {
      expect(await refusal({ redis: server().url, ...options })).toMatchObject({ code: 'InvalidArgument' });
    }
    await pause(50);
    expect(await clients()).toBe(before);
  });
});

describe('the owner', () => {
  it('S2.19: is the option, else CONTAINER_ID, else host and process', async () => {
    const environment = { CONTAINER_ID: 'container-1' };
    expect((await opened({ owner: 'me', environment })).owner).toMatch(/^me#[\w-]{8}$/);
    expect((await opened({ environment })).owner).toMatch(/^container-1#/);
    expect(
      (await opened({ environment: { CONTAINER_ID: '' } })).owner.startsWith(`${hostname()}-${process.pid}#`),
    ).toBe(true);
  });
});

describe('a Redis that is not there', () => {
  // The first state of a process also loads the client library, which is no time spent waiting for Redis.
  beforeAll(() => opened({ redis: server().url }));

  it('S2.16: does not keep openState, and is used when it comes', async () => {
    await using own = await startRedisServer();
    await own.kill();
    const { outcome: state, fairMs } = await timed(openState({ redis: own.url, environment: {}, log: silentLog }));
    await using degraded = state as Awaited<ReturnType<typeof openState>>;
    expect(fairMs).toBeLessThan(600);
    expect(degraded.status()).toMatchObject({
      kind: 'redis',
      connected: false,
      reason: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(await outcome(degraded.cache('told', { away: 'throw' }).get('k'))).toBe('Unavailable');
    expect(await outcome(degraded.probe())).toBe('Unavailable');
    await own.restart();
    await waitUntil('the connection', () => degraded.status().connected, { timeoutMs: 3_000 });
    await degraded.probe();
    await degraded.cache('c').set('k', 1);
    expect(await degraded.cache('c').get('k')).toBe(1);
  });

  it('does not keep openState when it does not even answer', async () => {
    await using port = await startSilentPort();
    const { outcome: state, fairMs } = await timed(
      openState({ redis: `redis://127.0.0.1:${port.port}`, environment: {}, log: silentLog }),
    );
    await using degraded = state as Awaited<ReturnType<typeof openState>>;
    expect(fairMs).toBeLessThan(600);
    expect(degraded.status().connected).toBe(false);
  });

  it('does not keep openState when it stands still', async () => {
    await using own = await startRedisServer();
    own.pause();
    const { outcome: state, fairMs } = await timed(openState({ redis: own.url, environment: {}, log: silentLog }));
    await using degraded = state as Awaited<ReturnType<typeof openState>>;
    expect(fairMs).toBeLessThan(600);
    own.resume();
    await waitUntil('the connection', () => degraded.status().connected, { timeoutMs: 3_000 });
  });
});

describe('the password', () => {
  const secret = 'hunter2-the-password';

  it('shows in no error, no log line and nothing that is printed of a state', async () => {
    await using own = await startRedisServer();
    await own.command('CONFIG', 'SET', 'requirepass', secret);
    const printed: string[] = [];
    const log = recordingLog();
    const look = async (url: string): Promise<void> => {
      await using state = await openState({ redis: url, environment: {}, log });
      const error = await state
        .cache('c')
        .get('k')
        .catch((reason: Error) => reason);
      printed.push(inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error) ?? '');
      printed.push(
        inspect(state, { depth: 10, showHidden: true }),
        JSON.stringify(state),
        JSON.stringify(state.status()),
      );
      printed.push(inspect(await outcome(state.probe())));
    };
    await look(`redis://:${secret}@127.0.0.1:${own.port}`);
    await look(`redis://app:${secret}@127.0.0.1:${own.port}`);
    await look(`redis://:${secret}@127.0.0.1:1`);
    await look(`redis://:${secret}@no-such-host.invalid`);
    for (const url of [`redis://:${secret}`, `redis://:${secret}@a@b`, `redis://h:${secret}`, `http://:${secret}@h`]) {
      printed.push(inspect(await refusal({ redis: url }), { depth: 10, showHidden: true }));
      printed.push(inspect(await refusal({ environment: { REDIS_URL: url } }), { depth: 10, showHidden: true }));
    }
    printed.push(inspect(await refusal({ environment: { REDIS_HOST: 'a:1', REDIS_PASSWORD: secret } })));
    expect(printed.length).toBeGreaterThan(30);
    expect(log.lines.length).toBeGreaterThan(2);
    for (const text of [...printed, ...log.lines]) expect(text).not.toContain(secret);
  });
});
