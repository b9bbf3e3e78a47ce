import type { Log, Subscription } from 'commonhold';
import { conversionOfHold } from '../conversion/conversion-hold.js';
import { isWhole } from '../state/upload.js';
import { finishUpload, type UploadPlace, uploadOfHold } from '../uploads/finish-upload.js';

/** How soon to try again to listen where the store is away. */
const retryMs = 5_000;

/**
 * Looks after what containers that died have left. Chunks that one was joining are joined by one that lives, also where
 * nobody sends the last of them again. A conversion needs no more than to be struck off once it is over: the queue has given
 * it to another long before its first holder counts as dead. Begins as soon as the store can be reached.
 */
export class OrphanWatch {
  readonly #place: UploadPlace;
  readonly #log: Log;
  #subscription: Subscription | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(place: UploadPlace, log: Log) {
    this.#place = place;
    this.#log = log;
    void this.#listen();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#subscription?.close();
  }

  async #listen(): Promise<void> {
    const { owners } = this.#place.state;
    try {
      const onResync = (): Promise<void> => this.look();
      this.#subscription = await owners.subscribe(
        (event) => {
          if (event.type === 'gone') void this.#lookAfterAll(event.holds);
        },
        { onResync },
      );
      if (this.#closed) this.#subscription.close();
      // Those that died while nobody listened.
      else await this.look();
    } catch {
      this.#subscription?.close();
      if (!this.#closed) this.#retry = setTimeout(() => void this.#listen(), retryMs).unref();
    }
  }

  /** Looks at all there are, and not only at what is heard of. Rejects when the store is away. */
  async look(): Promise<void> {
    const orphans = await this.#place.state.owners.orphans();
    await this.#lookAfterAll(orphans.map(({ name }) => name));
  }

  async #lookAfterAll(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.#lookAfter(name).catch((err: unknown) => this.#log.warn({ err, name }, 'an orphan was left'));
    }
  }

  async #lookAfter(name: string): Promise<void> {
    const uploadId = uploadOfHold(name);
    if (uploadId !== undefined) await this.#finishUpload(name, uploadId);
    const conversion = conversionOfHold(name);
    if (conversion !== undefined) await this.#strikeOff(name, conversion);
  }

  async #finishUpload(name: string, uploadId: string): Promise<void> {
    const { owners, uploadState } = this.#place.state;
    await using hold = await owners.takeOver(name);
    if (hold === undefined) return;
    const session = await uploadState.getSession(uploadId);
    if (session?.status === 'writing' && isWhole(session)) await finishUpload(this.#place, session);
  }

  async #strikeOff(name: string, conversion: string): Promise<void> {
    const { owners, conversionState } = this.#place.state;
    const job = await conversionState.queue.get(conversion);
    const isOver = job === undefined || ['completed', 'failed', 'cancelled'].includes(job.status);
    // One that still waits stays listed until somebody begins it.
    if (isOver) await (await owners.takeOver(name))?.release();
  }
}
