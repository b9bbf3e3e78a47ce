import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openState, type SharedState } from 'commonhold';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../topology/start-redis.mjs';
import { Started } from '../topology/started.mjs';
import { plantFolder, root } from './planted.js';

const run = promisify(execFile);

/** One command through redis-cli; resolves with what it printed, errors too. */
async function redis(url: string, ...command: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['--no-auth-warning', '-u', url, ...command]);
  return stdout.trim();
}

/** Commands that scripts call, and that the library sends by itself. */
function commandsOfTheLibrary(): Set<string> {
  const source = join(root, 'packages/commonhold/src');
  const scripts = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.lua'));
  const texts = scripts.map((name) => readFileSync(join(source, name), 'utf8'));
  const called = texts.flatMap((text) => [...text.matchAll(/redis\.p?call\(\s*'([A-Z]+)'/g)].map((match) => match[1]));
  const sent = ['EVALSHA', 'EVAL', 'INFO', 'PING', 'SUBSCRIBE', 'UNSUBSCRIBE', 'SCAN', 'TIME', 'GET', 'HGETALL'];
  return new Set([...called.map(String), ...sent]);
}

describe('Redis with the files of deploy/', () => {
  let started: Started;
  let redisUrl: string;
  let operatorUrl: string;
  beforeAll(async () => {
    started = await Started.open();
    ({ redisUrl, operatorUrl } = await startRedis(started, 'redis-state.conf'));
  });
  afterAll(() => started?.stop());

  async function setting(name: string): Promise<string> {
    return (await redis(operatorUrl, 'CONFIG', 'GET', name)).split('\n')[1] ?? '';
  }

  it('holds state: evicts nothing, and writes an append-only file every second', async () => {
    expect(await setting('maxmemory-policy')).toBe('noeviction');
    expect(await setting('maxmemory')).toBe(String(512 * 2 ** 20));
    expect([await setting('appendonly'), await setting('appendfsync')]).toEqual(['yes', 'everysec']);
  });

  it('holds caches with the other file: evicts the least used, and keeps nothing on disk', async () => {
    const other = await Started.open();
    onTestFinished(() => other.stop());
    const { operatorUrl: url } = await startRedis(other, 'redis-cache.conf');
    expect(await redis(url, 'CONFIG', 'GET', 'maxmemory-policy')).toBe('maxmemory-policy\nallkeys-lfu');
    expect(await redis(url, 'CONFIG', 'GET', 'appendonly')).toBe('appendonly\nno');
    expect(await redis(url, 'CONFIG', 'GET', 'save')).toBe('save');
  });

  it('lets nobody in without a password, and keeps none in clear', async () => {
    const anonymous = redisUrl.replace(/\/\/[^@]*@/, '//');
    expect(await redis(anonymous, 'PING')).toMatch(/^NOAUTH/);
    const users = readFileSync(join(started.directory, 'users.acl'), 'utf8');
    expect(users).not.toContain(new URL(redisUrl).password);
    expect(users).not.toMatch(/@[A-Z]+@/);
    expect(users).not.toContain('nopass');
  });

  it('refuses a short password, and has no operator where none is named', () => {
    const start = join(root, 'deploy/start-redis.sh');
    const environment = { PATH: process.env['PATH'], REDIS_USERS_DIRECTORY: plantFolder({}) };
    const short = spawnSync('sh', [start, 'redis-state.conf'], { env: { ...environment, REDIS_PASSWORD: 'secret' } });
    expect(short.status).toBe(1);
    expect(String(short.stderr)).toMatch(/^REDIS_PASSWORD: expected at least 16 characters/);
    // It writes the users before Redis refuses the option.
    const args = [start, 'redis-state.conf', '--no-such-option', 'yes'];
    expect(spawnSync('sh', args, { env: { ...environment, REDIS_PASSWORD: 'x'.repeat(16) } }).status).toBe(1);
    const users = readFileSync(join(environment.REDIS_USERS_DIRECTORY, 'users.acl'), 'utf8');
    expect(users).toMatch(/^user operator off /m);
  });

  const forbidden = [
    ['KEYS', '*'],
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['CONFIG', 'GET', 'dir'],
    ['SHUTDOWN'],
    ['ACL', 'LIST'],
    ['CLIENT', 'LIST'],
    ['MONITOR'],
    ['SAVE'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['MODULE', 'LIST'],
    ['SCRIPT', 'FLUSH'],
    ['BLPOP', 'ocr:x', '1'],
    ['GET', 'other:key'],
    ['SET', 'ocrx', '1'],
    ['PUBLISH', 'other:channel', 'x'],
    ['EVAL', "return redis.call('GET', 'other:key')", '0'],
  ];
  it.each(forbidden.map((command) => [command.join(' '), command] as const))(
    'refuses the servers %s',
    async (_words, command) => {
      expect(await redis(redisUrl, ...command)).toMatch(/NOPERM|ACL failure|no permissions|can't access/);
    },
  );

  it('allows the servers every command of the library', async () => {
    const commands = commandsOfTheLibrary();
    expect(commands.size).toBeGreaterThan(40);
    const refused: string[] = [];
    for (const command of commands) {
      const words = ['--json', 'COMMAND', 'INFO', command];
      const [[, arity]] = JSON.parse(await redis(operatorUrl, ...words)) as [[string, number]];
      const args = Array.from({ length: Math.abs(arity) - 1 }, () => (command.startsWith('EVAL') ? '0' : 'ocr:x'));
      const answer = await redis(operatorUrl, 'ACL', 'DRYRUN', 'commonhold', command, ...args);
      if (answer !== 'OK') refused.push(`${command}: ${answer}`);
    }
    expect(refused).toEqual([]);
  });

  describe('as the servers', () => {
    async function open(namespace: string): Promise<SharedState> {
      const state = await openState({ namespace, redis: redisUrl });
      onTestFinished(() => state.close());
      return state;
    }

    it.each(['ocr', 'rose', 'attendx', 'audio', 'road'])(
      'every feature works in the namespace %s',
      async (namespace) => {
        const [one, two] = [await open(namespace), await open(namespace)];
        const cache = one.cache<string>('pages', { ttl: '1m' });
        await cache.set('a', 'value');
        expect(await two.cache<string>('pages', { ttl: '1m' }).getOrSet('a', () => 'other')).toBe('value');
        await cache.clear();
        expect(await cache.get('a')).toBeUndefined();

        expect(await one.counter('hits', { daily: { keep: '1d' } }).add(2)).toBe(2);
        expect(await one.uniqueSet('ids', { prefix: namespace }).add(['a', 'b', 'a'])).toBe(2);
        expect((await one.rateLimit('tries', '1 per minute').consume('me')).allowed).toBe(true);
        expect((await two.rateLimit('tries', '1 per minute').consume('me')).allowed).toBe(false);

        const { token } = await one.sessions('logins').create({ user: 'ada' });
        expect((await two.sessions('logins').read(token)).session?.user).toBe('ada');
        expect(await two.sessions('logins').revokeAll('ada')).toBe(1);

        const heard: string[] = [];
        const subscription = await two.channel<string>('news').subscribe((message) => void heard.push(message));
        await one.channel<string>('news').publish('hello');
        await expect.poll(() => heard).toEqual(['hello']);
        subscription.close();

        const done: number[] = [];
        const worker = two.queue<number>('jobs').work((job) => void done.push(job.data));
        await one.queue<number>('jobs').add(7);
        await expect.poll(() => done).toEqual([7]);
        await worker.close();
      },
    );

    it.each(['ocr', 'road'])('maps, locks, runs, presence and owners work in the namespace %s', async (namespace) => {
      const [one, two] = [await open(namespace), await open(namespace)];
      const plain = one.map<number>('plain', { prefix: `${namespace}:plain` });
      await plain.update('a', (value = 0) => value + 1);
      expect(await two.map<number>('plain', { prefix: `${namespace}:plain` }).get('a')).toBe(1);

      const map = one.map<number>('things', { changes: true, ttl: '1m' });
      const replica = await two.map<number>('things', { changes: true, ttl: '1m' }).replica();
      await map.set('a', 1);
      await expect.poll(() => replica.get('a')).toBe(1);
      replica.close();

      expect(await one.lock('door').run(() => 'inside')).toBe('inside');
      expect(await one.runOnce<number>('sum').run('a', () => 3)).toBe(3);
      expect(await two.runOnce<number>('sum').run('a', () => 4)).toBe(3);
      const membership = await one.presence('people').join({ id: 'ada', region: 'here' });
      expect((await two.presence('people').members('here')).map(({ id }) => id)).toEqual(['ada']);
      await membership.leave();

      const hold = await one.owners.hold('thing');
      expect((await two.owners.list()).flatMap((owner) => owner.holds.map(({ name }) => name))).toContain('thing');
      await hold.release();
    });
  });
});
