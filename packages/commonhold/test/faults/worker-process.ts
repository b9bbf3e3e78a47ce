import { type ChildProcess, fork } from 'node:child_process';
import { waitUntil } from '../../src/testing/waiting.js';
import { appUrl, type FaultWorld } from './fault-world.js';
import type { WorkerNews } from './worker.js';

/** What a worker does: see `worker.ts`. */
export type WorkerRole = 'writer' | 'holder' | 'jobs';

/** A worker in a process of its own, and what it told. */
export class WorkerProcess {
  readonly began: string[] = [];
  /** Told as it was acknowledged. */
  written = 0;
  lockToken = '';
  sessionToken = '';
  readonly #child: ChildProcess;
  #ready = false;
  #over = false;

  constructor(world: FaultWorld, role: WorkerRole) {
    const program = new URL('./worker.js', import.meta.url);
    this.#child = fork(program, [appUrl(world.server.port), role], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child.on('message', (news: WorkerNews) => this.#hear(news));
    this.#child.on('exit', () => (this.#over = true));
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => world.sightings.search(text, `the output of a ${role}`));
    }
    world.defer(() => this.#child.kill('SIGKILL'));
  }

  get over(): boolean {
    return this.#over;
  }

  ready(): Promise<void> {
    return waitUntil('a worker', () => this.#ready, { timeoutMs: 10_000 });
  }

  /** Sends a signal; resolves when the process is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await waitUntil('a worker to end', () => this.#over, { timeoutMs: 10_000 });
  }

  #hear(news: WorkerNews): void {
    this.#ready ||= news.ready === true;
    this.lockToken = news.lockToken ?? this.lockToken;
    this.sessionToken = news.sessionToken ?? this.sessionToken;
    this.written = news.written ?? this.written;
    if (news.began !== undefined) this.began.push(news.began);
  }
}

/** The workers of a fault that ends processes: what they do is the affair of these features. */
export interface Workers {
  readonly writer: WorkerProcess;
  readonly holder: WorkerProcess;
  readonly jobs: WorkerProcess;
}
