import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from 'commonhold/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeFace } from '../../src/faces/made-face.js';
import { replay } from '../../src/replay/morning.js';
import { contract, expectProblem } from '../contract.js';
import { newUser, newVisitor, type Running } from '../running.js';
import { type ServerProcess, startServerProcess } from './server-process.js';

describe('AttendX in three processes on one Redis of 25 MB', () => {
  let redis: RedisServer;
  let directory: string;
  let servers: ServerProcess[] = [];
  let running: Running;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'commonhold-attendx-'));
    redis = await startRedisServer({ args: ['--maxmemory', '25mb', '--maxmemory-policy', 'noeviction'] });
    const variables = { REDIS_URL: `${redis.url}/0`, DATA_DIR: directory };
    servers = await Promise.all([1, 2, 3].map(() => startServerProcess(variables)));
    running = { bases: servers.map(({ url }) => url), close: () => Promise.resolve() };
  }, 60_000);
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.end('SIGKILL')));
    await redis?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('S1.8: six enrolments from one address over three processes: the sixth is 429, with correct headers', async () => {
    const visitor = newVisitor(running);
    for (let number = 0; number < 5; number++) {
      const answer = await visitor.enrol(`Person ${number}`, await madeFace(number));
      expect(answer.status).toBe(201);
      expect(answer.headers['ratelimit']).toMatch(new RegExp(`^"enroll";r=${4 - number};t=(?:3600|35\\d\\d)$`));
    }
    const sixth = await visitor.enrol('Person 5', await madeFace(5));
    expectProblem(sixth, 429, /At most 5 in 3600 s/);
    expect(sixth.headers['ratelimit-policy']).toBe('"enroll";q=5;w=3600');
    const reset = /^"enroll";r=0;t=(\d+)$/.exec(sixth.headers['ratelimit'] ?? '')?.[1];
    expect(Number(reset)).toBeGreaterThan(3_500);
    expect(sixth.headers['retry-after']).toBe(reset);
  });

  it('S1.8: a hundred at once from one address: exactly five pass', async () => {
    const visitor = newVisitor(running);
    const face = await madeFace(6);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => visitor.enrol(`Person ${n}`, face)));
    const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
    expect([count(201), count(429)]).toEqual([5, 95]);
    expect(answers.filter(({ json }) => json['cached'] === false)).toHaveLength(1);
    for (const { status, headers } of answers) expect(headers['retry-after'] === undefined).toBe(status === 201);
  });

  it('S1.11: no read that begins after a change sees what was before it, while many read', async () => {
    const { visitor, id } = await newUser(running, 'reader@example.org', 'Name 0');
    let acknowledged = 0;
    let done = false;
    let reads = 0;
    const read = async (): Promise<void> => {
      while (!done) {
        const least = acknowledged;
        const { json } = await visitor.get(`/api/users/${id}`);
        expect(Number(String(json['name']).slice(5))).toBeGreaterThanOrEqual(least);
        reads++;
      }
    };
    const readers = Array.from({ length: 12 }, read);
    for (let version = 1; version <= 150; version++) {
      await visitor.patch(`/api/users/${id}`, { name: `Name ${version}` });
      acknowledged = version;
    }
    done = true;
    await Promise.all(readers);
    expect(reads).toBeGreaterThan(100);
  }, 60_000);

  it('S1.1 S1.9: a session, a person and a limit outlive the process that made them', async () => {
    const variables = { REDIS_URL: redis.url, DATA_DIR: directory };
    const [first, second] = [await startServerProcess(variables), await startServerProcess(variables)];
    servers.push(first, second);
    const both = { ...running, bases: [first.url] };
    const { visitor } = await newUser(both, 'survivor@example.org', 'Survivor');
    expect((await visitor.enrol('Survivor', await madeFace(777))).status).toBe(201);
    await first.end('SIGKILL');
    const later = newVisitor({ ...both, bases: [second.url] });
    later.takeCookie(visitor.cookie);
    expect((await later.get('/me')).json['name']).toBe('Survivor');
    expect((await later.attend(await madeFace(777))).json['name']).toBe('Survivor');
  }, 30_000);

  it('S1.12: a simulated morning of 60 people ends with everybody present, and Redis far below 25 MB', async () => {
    const report = await replay({ bases: running.bases, people: 60, strangers: 10, seed: 7 });
    expect(report).toMatchObject({ enrolled: 60, recognised: 60, failed: 0 });
    expect(report.mistaken).toBeLessThanOrEqual(4);
    const memory = Number(/used_memory:(\d+)/.exec(String(await redis.command('INFO', 'memory')))?.[1]);
    expect(memory).toBeLessThan(10e6);
  }, 60_000);

  contract(() => Promise.resolve(running));
});
