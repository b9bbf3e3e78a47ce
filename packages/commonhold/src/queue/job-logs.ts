import { mostLogLines, type QueueAddress, type QueuePort, type QueueWorker } from './queue-port.js';
import type { RunningJob } from './running-job.js';

/** Where lines go. */
export interface LogsPlace {
  readonly address: QueueAddress;
  readonly port: QueuePort;
  readonly worker: QueueWorker;
}

const longestLine = 1_024;

/** Sends what handlers write to their logs: one trip a job at a time, with all lines that wait. */
export class JobLogs {
  readonly #place: LogsPlace;

  constructor(place: LogsPlace) {
    this.#place = place;
  }

  /** Adds the lines of `text`. A job is handed in when its lines have arrived. */
  write(running: RunningJob, text: string): void {
    const lines = running.log?.lines ?? [];
    lines.push(...linesOf(text));
    lines.splice(0, lines.length - mostLogLines);
    running.log ??= { lines, sent: this.#send(running, lines) };
  }

  async #send(running: RunningJob, lines: string[]): Promise<void> {
    const { port, address, worker } = this.#place;
    const { id, attempt } = running.job;
    // More lines may come before the handler pauses.
    await Promise.resolve();
    while (lines.length > 0) {
      // A job does not fail for its log.
      await port.log(address, worker, id, attempt, lines.splice(0)).catch(() => undefined);
    }
    running.log = undefined;
  }
}

function linesOf(text: string): string[] {
  const lines = text.split('\n', mostLogLines);
  return lines.filter((line) => line !== '').map((line) => line.slice(0, longestLine).toWellFormed());
}
