import type { ChildProcess } from 'node:child_process';
import type { SharedState } from '../../src/shared-state.js';
import { waitUntil } from '../../src/testing/waiting.js';
import { useProgram } from '../program-processes.js';

/**
 * Holds lock `name` and, deaf to its signal, writes its token to map, counter and queue `name` by guarded calls. Told a number
 * of milliseconds it blocks its event loop for as long, with calls begun and not yet sent. Once all three are refused it
 * says so, and whether it took itself for the holder when it woke, and stands in line again.
 */
const program = `
import { openState } from './index.js';
const [url, name] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const state = await openState({ redis: url, namespace: 'stalls', log });
const [lock, map] = [state.lock(name, { lease: '1s' }), state.map(name)];
const [counter, queue] = [state.counter(name), state.queue(name)];
let blockMs = 0;
process.on('message', (ms) => (blockMs = ms));
for (;;) {
  const held = await lock.acquire();
  const { guard } = held;
  process.send({ token: guard.token });
  let [trusted, lookedAtMs] = [false, performance.now()];
  for (;;) {
    if (performance.now() - lookedAtMs > 1_000) trusted ||= held.reliable;
    lookedAtMs = performance.now();
    const calls = [map.set('last', guard.token, { guard }), counter.add(1, { guard }), queue.add(0, { guard })];
    if (blockMs > 0) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
      blockMs = 0;
      trusted ||= held.reliable;
    }
    const results = await Promise.allSettled(calls);
    if (results.every(({ reason }) => reason?.code === 'StaleGuard')) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.send({ refused: guard.token, trusted });
  await held.release().catch(() => undefined);
}
`;

interface Said {
  readonly token?: string;
  readonly refused?: string;
  readonly trusted?: boolean;
}

/** A process that holds a lock. */
export interface StallingHolder {
  readonly name: string;
  readonly child: ChildProcess;
  readonly said: Said[];
}

/** Starts processes that hold the lock of their name. */
export function useStallingHolders(): (url: string, name: string) => StallingHolder {
  const run = useProgram(program);
  return (url, name) => {
    const child = run(url, name);
    const said: Said[] = [];
    child.on('message', (message) => said.push(message as Said));
    return { name, child, said };
  };
}

/** How a process stands still: stopped by a signal, or by work that does not let its event loop turn. */
export const stallKinds = ['SIGSTOP', 'blocked'] as const;
export type StallKind = (typeof stallKinds)[number];

/** What one stall showed. */
export interface Stall {
  /** Writes of the holder that were accepted after the next one's first guarded calls. */
  readonly staleWrites: number;
  /** Whether the holder took itself for it when it woke. */
  readonly trusted: boolean;
  /** From the stall until the next had the lock. */
  readonly freeAfterMs: number;
}

const [shortestMs, longestMs] = [1_500, 3_000];

/** Has `holder` stand still for 1.5 to 3 times its lease, takes its lock and writes; then the holder wakes and goes on. */
export async function stall(state: SharedState, holder: StallingHolder, kind: StallKind): Promise<Stall> {
  const { name, child, said } = holder;
  const holding = (): boolean => said.at(-1)?.token !== undefined;
  await waitUntil(
    'the holder to write',
    async () => holding() && (await state.map(name).get('last')) === said.at(-1)?.token,
    {
      timeoutMs: 20_000,
    },
  );
  const stallMs = shortestMs + Math.random() * (longestMs - shortestMs);
  const sinceMs = performance.now();
  if (kind === 'blocked') child.send(stallMs);
  else {
    child.kill('SIGSTOP');
    setTimeout(() => child.kill('SIGCONT'), stallMs);
  }
  const next = await state.lock(name, { lease: '5s' }).acquire();
  if (next === undefined) throw new Error('acquire without a bound gave up');
  const freeAfterMs = performance.now() - sinceMs;
  const { guard } = next;
  await state.map<string>(name).set('last', guard.token, { guard });
  const count = await state.counter(name).add(1, { guard });
  await state.queue(name).add(0, { guard });
  const { total } = await state.queue(name).totals();
  await waitUntil('the holder to be refused', () => said.at(-1)?.refused !== undefined, { timeoutMs: 20_000 });
  const overwritten = (await state.map(name).get('last')) === guard.token ? 0 : 1;
  const added = (await state.counter(name).get()) - count + (await state.queue(name).totals()).total - total;
  await next.release();
  return { staleWrites: overwritten + added, trusted: said.at(-1)?.trusted ?? false, freeAfterMs };
}
