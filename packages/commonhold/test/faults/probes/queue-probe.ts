import type { JobWorker } from '../../../src/queue/job-worker.js';
import type { Queue } from '../../../src/queue/queue.js';
import { pause } from '../../../src/testing/waiting.js';
import type { Feature } from '../codes.js';
import { FeatureProbe } from '../probe.js';

const concurrency = 4;
const jobMs = 20;
/** How long an orphan may wait: a lease of 5 s, and a look. */
const takeOverMs = 9_000;

/** Jobs with ids that are added and run by the subject: each that was taken must run, and nearly each once. */
export class QueueProbe extends FeatureProbe {
  readonly feature: Feature = 'QU';
  readonly #runs = new Map<string, number>();
  readonly #added = new Set<string>();
  readonly #unknown: string[] = [];
  #queue: Queue<string> | undefined;
  #worker: JobWorker<string, void> | undefined;

  async prepare(): Promise<void> {
    const queue = this.place.subject.queue<string>('q');
    this.#queue = queue;
    this.#worker = queue.work(async ({ data }) => this.#run(data), { concurrency });
    await queue.add('first', { id: 'first' });
    this.#added.add('first');
    if (!(await this.soon(() => this.#runs.has('first')))) this.wrong('no job runs');
  }

  async round(n: number): Promise<void> {
    const queue = this.#queue;
    if (queue === undefined) return;
    const id = `job-${n}`;
    const answer = await this.ask(
      'add',
      () => queue.add(id, { id }),
      () => {
        this.#added.add(id);
        return 'OK';
      },
    );
    if (answer.code === 'OU') this.#unknown.push(id);
  }

  async settle(): Promise<void> {
    const queue = this.#queue;
    if (queue === undefined) return;
    for (const id of this.#unknown) {
      await this.insist('add', () => queue.add(id, { id }));
      this.#added.add(id);
    }
    await this.insist('add', () => queue.add('last', { id: 'last' }));
    this.#added.add('last');
    const missing = (): string[] => [...this.#added].filter((id) => !this.#runs.has(id));
    const waitMs = this.place.loss === 'none' ? takeOverMs : 2_000;
    await this.soon(() => missing().length === 0, waitMs);
    if (missing().includes('last')) this.wrong('no job runs any more');
    if (missing().length > 0) this.gone(`${missing().length} of ${this.#added.size} jobs never ran`);
    const twice = [...this.#runs.values()].filter((count) => count > 1).length;
    if (twice > concurrency) this.wrong(`${twice} jobs ran twice, and ${concurrency} were in flight`);
    else this.note(twice === 0 ? 'OK' : 'LE');
    await this.#worker?.close({ grace: 500 });
  }

  async #run(id: string): Promise<void> {
    this.#runs.set(id, (this.#runs.get(id) ?? 0) + 1);
    await pause(jobMs);
  }
}
