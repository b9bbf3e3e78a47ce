import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownRedis } from './homes.js';
import { startPlatform } from './platform.js';
import { PHOTOTEST } from './recognition/samples.js';

describe('redis-cli, without a line of ours,', () => {
  const redis = ownRedis();

  async function cli(...command: readonly string[]): Promise<string[]> {
    const { stdout } = await promisify(execFile)('redis-cli', ['-p', String(redis.server.port), ...command]);
    return stdout.trimEnd().split('\n');
  }

  /** Fields and values, which redis-cli prints in turn. */
  async function hash(key: string): Promise<Record<string, string>> {
    const lines = await cli('HGETALL', key);
    return Object.fromEntries(
      lines.flatMap((name, index) => (index % 2 === 0 ? [[name, lines[index + 1] ?? '']] : [])),
    );
  }

  /** What is published on `channel`, from the moment this resolves. */
  async function listen(channel: string): Promise<string[]> {
    const child = spawn('redis-cli', ['-p', String(redis.server.port), 'SUBSCRIBE', channel], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill());
    const lines: string[] = [];
    const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
    while (lines.length < 3) await once(reader, 'line');
    lines.length = 0;
    return lines;
  }

  const messages = (lines: readonly string[]): Record<string, unknown>[] =>
    lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);

  it('S4.6, S4.13, S4.14, S4.15, S4.16: reads tasks, statistics and notices', async () => {
    const platform = await startPlatform({ redisUrl: await redis.url() });
    const client = await platform.signedIn();
    const { user_id: user } = (await client.get('/me')).json as { user_id: string };
    const toAll = await listen('ocr:notifications');
    const toUser = await listen(`ocr:notifications:user:${user}`);
    const id = await client.upload(PHOTOTEST, 8);
    await client.finished(id);

    expect(await hash(`ocr:task:data:${id}`)).toMatchObject({
      user_id: user,
      file_id: expect.stringMatching(/^[0-9a-f]{64}$/),
      status: 'completed',
      priority: '8',
      attempts: '1',
      created_at: expect.stringMatching(/^\d{13}$/),
      completed_at: expect.stringMatching(/^\d{13}$/),
    });
    expect(Number((await cli('TTL', `ocr:task:data:${id}`))[0])).toBeGreaterThan(86_000);
    expect(await cli('GET', 'ocr:stats:tasks:total')).toEqual(['1']);
    expect(await cli('GET', 'ocr:stats:tasks:completed')).toEqual(['1']);
    const day = await hash(`ocr:stats:daily:${new Date().toISOString().slice(0, 10)}`);
    expect(day).toMatchObject({ tasks_completed: '1' });
    expect(Number(day['avg_processing_time'])).toBeGreaterThan(0);

    const done = { type: 'task_completed', task_id: id, user_id: user, status: 'completed' };
    await expect.poll(() => messages(toAll).at(-1)).toMatchObject(done);
    await expect.poll(() => messages(toUser).at(-1)).toMatchObject(done);
  });

  it('S4.10: finds a session under the SHA-256 of its token, and no token', async () => {
    const client = await (await startPlatform({ redisUrl: await redis.url() })).signedIn('ada@example.com');
    const [key = ''] = (await cli('--scan', '--pattern', 'ocr:session:*')).filter((name) => !name.includes(':u:'));
    expect(key).toMatch(/^ocr:session:[0-9a-f]{64}$/);
    const { email, role } = (await client.get('/me')).json;
    const fields = await hash(key);
    expect(fields).toMatchObject({ 'd.email': JSON.stringify(email), 'd.role': JSON.stringify(role) });
  });
});
