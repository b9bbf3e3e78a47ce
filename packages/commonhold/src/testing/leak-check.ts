import assert from 'node:assert/strict';
import { createHook, type AsyncHook } from 'node:async_hooks';
import { systemClock } from '../clock.js';
import { pause } from './waiting.js';

/**
 * What keeps the process alive right now, by Node's own names (`TCPSocketWrap`, `Timeout`), sorted. Timers and sockets
 * that were told not to keep it alive are missing: Node does not list them. {@link leakCheck} sees those too.
 */
export function openResources(): string[] {
  return process.getActiveResourcesInfo().toSorted();
}

/** How patient a check is. */
export interface LeakCheckOptions {
  /** How long what is closing may take once the check ends, in milliseconds of real time. Default 500. */
  readonly settleMs?: number;
}

/** Watches from its start what is opened and not closed again. */
export interface LeakCheck extends AsyncDisposable {
  /**
   * Ends the check and resolves with what was opened since and is still open, one kind an entry, sorted: `process`,
   * `server`, `socket`, `timer` and the like. What is about to close gets `settleMs` for it.
   */
  grown(): Promise<string[]>;
  /** Ends the check. @throws AssertionError naming what is still open and where it was opened. */
  assertNoLeak(): Promise<void>;
}

/**
 * Starts a check. `await using leaks = leakCheck()` as the first line of a test asserts when the test ends, after what
 * the lines below it opened the same way was closed.
 *
 * Timers count whether or not they keep the process alive, since the library's own do not. Left out is what the test
 * runner opens, and timers that Node makes for itself.
 *
 * It observes through async_hooks, which slows promises down while it runs: not for measuring speed.
 */
export function leakCheck(options: LeakCheckOptions = {}): LeakCheck {
  return new ResourceWatch(options.settleMs ?? 500);
}

/** Types of async_hooks that stand for something open, and our words for them. */
const kinds: ReadonlyMap<string, string> = new Map([
  ['Timeout', 'timer'],
  ['TCPWRAP', 'socket'],
  ['UDPWRAP', 'socket'],
  ['TCPSERVERWRAP', 'server'],
  ['PIPEWRAP', 'pipe'],
  ['PIPESERVERWRAP', 'server'],
  ['PROCESSWRAP', 'process'],
  ['WORKER', 'worker'],
  ['SIGNALWRAP', 'signal'],
  ['FSEVENTWRAP', 'watcher'],
  ['STATWATCHER', 'watcher'],
]);

interface Opened {
  readonly kind: string;
  /** Its stack says where it was opened. Reading that is slow, so it waits until something did leak. */
  readonly origin: Error;
}

class ResourceWatch implements LeakCheck {
  readonly #open = new Map<number, Opened>();
  readonly #settleMs: number;
  readonly #hook: AsyncHook;
  #leaked: Promise<Opened[]> | undefined;
  #ownTimer = false;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
    this.#hook = createHook({
      init: (id, type) => this.#opened(id, type),
      destroy: (id) => void this.#open.delete(id),
    }).enable();
  }

  async grown(): Promise<string[]> {
    const leaked = await this.#end();
    return [...new Set(leaked.map(({ kind }) => kind))].toSorted();
  }

  async assertNoLeak(): Promise<void> {
    const leaked = await this.#end();
    const lines = leaked.map(({ kind, origin }) => `${kind}\n${frames(origin).join('\n')}`);
    assert(leaked.length === 0, `left open:\n${lines.join('\n')}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.assertNoLeak();
  }

  #end(): Promise<Opened[]> {
    this.#leaked ??= this.#settle().finally(() => this.#hook.disable());
    return this.#leaked;
  }

  async #settle(): Promise<Opened[]> {
    const startedAtMs = systemClock.monotonic();
    for (;;) {
      const leaked = [...this.#open.values()].filter(belongsToTheTest);
      if (leaked.length === 0 || systemClock.monotonic() - startedAtMs > this.#settleMs) return leaked;
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    this.#ownTimer = true;
    const paused = pause(10);
    this.#ownTimer = false;
    return paused;
  }

  #opened(id: number, type: string): void {
    const kind = kinds.get(type);
    if (kind === undefined || this.#ownTimer) return;
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 30;
    this.#open.set(id, { kind, origin: new Error(kind) });
    Error.stackTraceLimit = limit;
  }
}

const timerFrame = /\(?node:(?:internal\/)?(?:timers|async_hooks)/;
const runnerFrame = /\/node_modules\/@?vitest\/|node:internal\/test_runner/;

/** The calls that led to it, newest first, without this file and the machinery of timers. */
function frames(origin: Error): string[] {
  const lines = (origin.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return lines.filter((line) => !line.includes(import.meta.filename) && !timerFrame.test(line));
}

function belongsToTheTest({ kind, origin }: Opened): boolean {
  const calls = frames(origin);
  if (kind === 'timer' && calls[0]?.includes('node:')) return false;
  return !runnerFrame.test(calls.find((call) => !call.includes('node:')) ?? '');
}
