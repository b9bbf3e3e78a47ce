import type { Log, Subscription } from 'commonhold';
import { isWhole } from '../state/upload.js';
import { finishUpload, uploadHold, type UploadPlace } from './finish-upload.js';

/** How soon to try again to listen where the store is away. */
const retryMs = 5_000;

/**
 * Finishes what containers that died were joining, also where nobody sends the last chunk again: each orphan goes to one
 * container. Begins as soon as the store can be reached.
 */
export class UploadRescue {
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
      const onResync = (): Promise<void> => this.#lookForOrphans();
      this.#subscription = await owners.subscribe(
        (event) => {
          if (event.type === 'gone') void this.#rescueAll(event.holds);
        },
        { onResync },
      );
      if (this.#closed) this.#subscription.close();
      // Those that died while nobody listened.
      else await this.#lookForOrphans();
    } catch {
      this.#subscription?.close();
      if (!this.#closed) this.#retry = setTimeout(() => void this.#listen(), retryMs).unref();
    }
  }

  async #lookForOrphans(): Promise<void> {
    const orphans = await this.#place.state.owners.orphans();
    await this.#rescueAll(orphans.map(({ name }) => name));
  }

  async #rescueAll(names: readonly string[]): Promise<void> {
    for (const name of names.filter((one) => one.startsWith(uploadHold('')))) {
      await this.#rescue(name).catch((err: unknown) => this.#log.warn({ err, name }, 'an upload was not rescued'));
    }
  }

  async #rescue(name: string): Promise<void> {
    const { owners, uploadState } = this.#place.state;
    await using hold = await owners.takeOver(name);
    if (hold === undefined) return;
    const session = await uploadState.getSession(name.slice(uploadHold('').length));
    if (session?.status === 'writing' && isWhole(session)) await finishUpload(this.#place, session);
  }
}
