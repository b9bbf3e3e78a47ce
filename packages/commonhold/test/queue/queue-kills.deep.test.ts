import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { startRedisServer } from '../../src/testing/redis-server.js';
import { killRedis, killWorkers } from './kill-runs.js';
import { readKills } from './kill-report.js';
import { type NotedTask, useNotingWorkers } from './noting-workers.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const minute = 60_000;
const concurrency = 4;
// Who has less time gives fewer.
const workerKills = Number(process.env['COMMONHOLD_WORKER_KILLS'] ?? 1_000);
const redisKills = Number(process.env['COMMONHOLD_REDIS_KILLS'] ?? 100);

describe('a queue under kill -9', () => {
  const workers = useNotingWorkers();

  it('loses no job to 1,000 kills of workers, and poison fails alone', { timeout: 60 * minute }, async () => {
    await using server = await startRedisServer();
    await using state = await openState({ redis: { url: server.url, deadline: '30s' }, namespace: 'workers', log });
    const queue = state.queue<NotedTask>('q', { attempts: 1 });
    const crew = { workers, url: server.url, namespace: 'workers', size: 8, concurrency };
    const { diedAtMs, jobs, poisoned, ms } = await killWorkers(queue, { crew, server, kills: workerKills });
    const report = readKills(await workers.notes('workers'), diedAtMs);
    const failed = (await queue.deadLetters({ limit: 200 })).jobs.map(({ id }) => id);
    const innocent = failed.filter((id) => !poisoned.has(id));
    const totals = await queue.totals();
    console.log(`${workerKills} kills -9 of 8 workers by ${concurrency} jobs, in ${(ms / 1000).toFixed(0)} s`);
    console.log({
      ...totals,
      innocentFailed: innocent.length,
      lost: jobs + poisoned.size - totals.completed - totals.failed,
      ...report,
    });
    expect(totals).toEqual({ total: jobs + poisoned.size, completed: jobs, failed: poisoned.size });
    expect(innocent).toEqual([]);
    expect([report.jobs, report.unexplained]).toEqual([jobs + poisoned.size, 0]);
    expect(report.repeated).toBeLessThanOrEqual(diedAtMs.size * concurrency);
    expect(report.mostOfOneDeath).toBeLessThanOrEqual(concurrency);
    expect(report.resumeP99Ms).toBeLessThanOrEqual(6_000);
  });

  it('loses no job to 100 kills of Redis that writes its log once a second', { timeout: 30 * minute }, async () => {
    await using server = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
    await using state = await openState({ redis: server.url, namespace: 'redis', log });
    const queue = state.queue<NotedTask>('q', { attempts: 1 });
    const crew = { workers, url: server.url, namespace: 'redis', size: 4, concurrency };
    const { added, ms } = await killRedis(queue, { crew, server, kills: redisKills });
    const totals = await queue.totals();
    const report = readKills(await workers.notes('redis'), new Map());
    console.log(`${redisKills} kills -9 of Redis with appendfsync everysec, in ${(ms / 1000).toFixed(0)} s`);
    console.log({ acknowledged: added, ...totals, started: report.jobs, startedAgain: report.repeated });
    expect(totals).toEqual({ total: added, completed: added, failed: 0 });
    expect(report.jobs).toBe(added);
    expect(report.repeated).toBeLessThanOrEqual(redisKills * crew.size * concurrency);
  });
});
