import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openState } from '../../src/open-state.js';
import { startRedisServer } from '../../src/testing/redis-server.js';
import { eventually, pause, waitUntil } from '../../src/testing/waiting.js';
import { useFolder } from '../backend/resilient/journals.js';
import { useProgram } from '../program-processes.js';

/** Adds jobs without end, telling what was accepted, and how. */
const program = `
import { openState } from './index.js';
const [url, file, name] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const state = await openState({ redis: url, namespace: 'n', log, journal: { file } });
const queue = state.queue('q');
process.send('ready');
for (let n = 0; ; n++) {
  await Promise.all([0, 1, 2].map((k) => {
    const job = name + ' ' + n + ' ' + k;
    return queue.add(job).then(({ accepted }) => process.send({ job, accepted }), () => undefined);
  }));
  await new Promise((resolve) => setTimeout(resolve, 10));
}
`;

interface Accepted {
  readonly job: string;
  readonly accepted: 'stored' | 'spooled';
}

describe('processes that add jobs', () => {
  const run = useProgram(program);
  const folder = useFolder();

  it('are killed with -9 while Redis is killed with -9 and comes back, and every job that was accepted is done once', async () => {
    const server = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const file = join(folder(), 'journal');
    const accepted: Accepted[] = [];
    const launch = async (name: string): Promise<ChildProcess> => {
      const child = run(server.url, file, name);
      await once(child, 'message');
      child.on('message', (message) => void accepted.push(message as Accepted));
      return child;
    };
    const enough = (how: Accepted['accepted']): Promise<void> =>
      waitUntil(`jobs to be ${how}`, () => accepted.filter((each) => each.accepted === how).length > 40, {
        timeoutMs: 20_000,
      });
    const children = await Promise.all(['a', 'b'].map(launch));
    await enough('stored');
    await server.kill();
    await enough('spooled');
    // One dies while it spools, and leaves its file to the next.
    children[0]?.kill('SIGKILL');
    children.push(await launch('heir'));
    await server.restart();
    // The others die while they bring what waits to Redis, or after.
    await pause(60);
    for (const child of children) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    }
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const state = await openState({ redis: server.url, namespace: 'n', log, journal: { file } });
    const ran: string[] = [];
    state.queue<string>('q').work(({ data }) => void ran.push(data), { concurrency: 20 });
    const missing = (): string[] => {
      const done = new Set(ran);
      return accepted.map(({ job }) => job).filter((job) => !done.has(job));
    };
    await eventually(() => expect(missing()).toEqual([]), { timeoutMs: 30_000, everyMs: 100 });
    expect(new Set(ran).size).toBe(ran.length);
    await eventually(() => expect(state.status().spool).toBeUndefined());
    await state.close();
    await server.stop();
    expect(await readdir(folder())).toEqual([]);
  });
});
