import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { useProgram } from '../program-processes.js';

/**
 * What a process does, by its third argument. `hold` takes lock `l` and, deaf to its signal, writes its token every 20 ms
 * through a fence, until it is killed. `write` does so by guarded calls to map, counter and queue `w`. `count` adds 1 to a
 * key 200 times by reading and writing it under lock `l`. `write-lock` holds the lock `l` of readers and writers. `lead` stands
 * for election and says when it leads and why not any more. `every` hangs in the first tick of a second. `run` runs key `k`
 * once, for a minute or until the signal aborts, and says what it got. `serve` answers requests that carry an idempotency key,
 * each for a minute or until its signal aborts.
 */
const program = `
import { createServer } from 'node:http';
import { openState } from './index.js';
import { idempotentRequests } from './adapters/http.js';
const [url, namespace, task] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const state = await openState({ redis: url, namespace, log });
const send = (...words) => state.rawClient.sendCommand(words);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const fenced = \`
  if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 0 end
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('RPUSH', KEYS[2], ARGV[1])
  return 1\`;
if (task === 'hold') {
  const held = await state.lock('l', { lease: '2s' }).acquire();
  held.signal.addEventListener('abort', () => process.send({ aborted: held.signal.reason.code }));
  process.send({ token: held.guard.token });
  for (;;) {
    const done = await send('EVAL', fenced, '2', 'fence', 'writes', held.guard.token).catch(() => 1);
    if (done === 0) process.send({ refused: true });
    await sleep(20);
  }
}
if (task === 'write') {
  const held = await state.lock('l', { lease: '2s' }).acquire();
  const { guard } = held;
  const calls = [
    () => state.map('w').set('last', guard.token, { guard }),
    () => state.counter('w').add(1, { guard }),
    () => state.queue('w').add(guard.token, { guard }),
  ];
  process.send({ token: guard.token });
  for (;;) {
    const results = await Promise.allSettled(calls.map((call) => call()));
    if (results.every(({ reason }) => reason?.code === 'StaleGuard')) process.send({ refused: true });
    await sleep(20);
  }
}
if (task === 'count') {
  const lock = state.lock('l');
  for (let n = 0; n < 200; n++) {
    await lock.run(async ({ guard }) => {
      const count = Number(await send('GET', 'count'));
      await send('RPUSH', 'tokens', guard.token);
      await send('SET', 'count', String(count + 1));
    });
  }
  process.send({ counted: true });
}
if (task === 'lead') {
  state.leader('l', { lease: '2s' }).lead(({ signal, guard }) => {
    process.send({ token: guard.token });
    signal.addEventListener('abort', () => process.send({ aborted: signal.reason.code }));
  });
}
if (task === 'write-lock') {
  const held = await state.readWriteLock('l', { lease: '2s' }).write.acquire();
  process.send({ token: held.guard.token });
  setInterval(() => undefined, 1_000);
}
if (task === 'every') {
  state.every('x', '1s', ({ tickAtMs }) => {
    process.send({ tickAtMs });
    return new Promise((resolve) => setTimeout(resolve, 60_000));
  }, { lease: '1s' });
}
if (task === 'run') {
  const run = state.runOnce('r', { lease: '2s' });
  const result = await run.run('k', async ({ attempt, signal }) => {
    process.send({ attempt });
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 60_000);
      signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); });
    });
    return 'stale';
  }).catch((error) => error.code);
  process.send({ result });
}
if (task === 'serve') {
  const serve = idempotentRequests(state, { scope: () => 'all', lease: '2s' });
  const server = createServer((request, response) => serve(request, response, async ({ attempt, signal }) => {
    process.send({ attempt });
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 60_000);
      signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); });
    });
    response.end('stale');
  }));
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
}
`;

/** What the processes say. */
export interface HolderMessage {
  readonly token?: string;
  readonly aborted?: string;
  readonly refused?: boolean;
  readonly counted?: boolean;
  readonly attempt?: number;
  readonly tickAtMs?: number;
  readonly result?: string;
  readonly port?: number;
}

/** A started process and what it said so far. */
export interface HolderProcess {
  readonly child: ChildProcess;
  readonly said: HolderMessage[];
}

/** Starts processes with locks, on the library compiled anew. */
export function useHolderProcesses(): (url: string, namespace: string, task: string) => Promise<HolderProcess> {
  const run = useProgram(program);
  return async (url, namespace, task) => {
    const child = run(url, namespace, task);
    const said: HolderMessage[] = [];
    child.on('message', (message) => said.push(message as HolderMessage));
    await once(child, 'message');
    return { child, said };
  };
}
