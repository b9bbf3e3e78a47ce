import { pause } from '../../../src/testing/waiting.js';
import type { Queue } from '../../../src/queue/queue.js';
import { QueueProbe } from './queue-probe.js';

const longestMs = 15_000;

/** Besides, a job that runs for as long as the fault: another process takes it over, and what the first one says then is refused. */
export class PartitionedQueueProbe extends QueueProbe {
  #long: Queue<string, string> | undefined;
  #job = '';
  #begun = false;
  #abortedFirst: boolean | undefined;
  #takenOver = false;

  override async prepare(): Promise<void> {
    await super.prepare();
    this.#long = this.place.subject.queue<string, string>('long');
    this.#long.work(async (_, { signal }) => {
      this.#begun = true;
      const untilMs = performance.now() + longestMs;
      while (!this.#takenOver && performance.now() < untilMs) {
        if (signal.aborted) this.#abortedFirst ??= true;
        await pause(20);
      }
      this.#abortedFirst ??= signal.aborted;
      await pause(1_000);
      return 'cut off';
    });
    this.#job = (await this.#long.add('long')).id;
    if (!(await this.soon(() => this.#begun))) this.wrong('no long job runs');
    this.place.other.queue<string, string>('long').work(() => {
      this.#takenOver = true;
      return 'taken over';
    });
  }

  override async settle(): Promise<void> {
    await super.settle();
    const done = await this.soon(async () => (await this.#long?.totals())?.completed === 1, longestMs);
    // Time for the first worker to hand in what is worth nothing any more.
    await pause(1_500);
    const result = await this.insist('get', async () => this.#long?.get(this.#job));
    if (this.#abortedFirst !== true)
      this.wrong('a handler that was cut off was not told before its job went on elsewhere');
    if (done && result?.result === 'taken over') this.note('TK');
    else this.wrong(`the result of a job that was taken over is ${JSON.stringify(result?.result)}`);
  }
}
