import type { HeldLock } from '../../../src/lock/lock.js';
import type { Feature } from '../codes.js';
import { FeatureProbe } from '../probe.js';

const lease = '1500ms';

/** A lock that is held when the fault begins, a rival who wants it all the time, and free locks. */
export class LockProbe extends FeatureProbe {
  readonly feature: Feature = 'LO';
  #held: HeldLock | undefined;
  #newer: HeldLock | undefined;

  async prepare(): Promise<void> {
    this.#held = await this.place.subject.lock('held', { lease }).acquire();
  }

  async round(n: number): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    const free = this.place.subject.lock(`free ${n}`, { lease });
    const answer = await this.ask(
      'tryAcquire',
      () => free.tryAcquire(),
      (lock) => {
        if (lock === undefined) this.wrong('a free lock was refused as if it were held');
        return lock === undefined ? undefined : 'OK';
      },
    );
    const got = answer.value;
    if (got !== undefined)
      await this.ask(
        'release',
        () => got.release(),
        () => undefined,
      );
    await this.#rival(held);
    if (held.signal.aborted) this.note('LE');
  }

  async settle(): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    const over = await this.soon(() => held.signal.aborted || this.#newer === undefined, 2_000);
    if (!over) this.wrong('a rival has the lock, and its holder was not told');
    if (!held.signal.aborted) return this.#stillHeld(held);
    this.note('LE');
    const again =
      this.#newer ?? (await this.insist('acquire', () => this.place.other.lock('held', { lease }).acquire()));
    if (again === undefined) return this.wrong('the lock is not to be had again');
    if (BigInt(again.guard.token) <= BigInt(held.guard.token)) this.wrong('a later token is not larger');
    await this.#refuseStale(held, again);
    await again.release().catch(() => undefined);
  }

  // It has no right to the lock while its holder may rely on it.
  async #rival(held: HeldLock): Promise<void> {
    if (this.#newer !== undefined) return;
    const trusted = held.reliable;
    const got = await this.place.other
      .lock('held', { lease })
      .tryAcquire()
      .catch(() => undefined);
    if (got === undefined) return;
    this.#newer = got;
    // Where the store forgot who holds it, the guard alone tells the two apart.
    if (trusted && held.reliable && this.place.loss === 'none') this.wrong('two hold one lock');
  }

  async #stillHeld(held: HeldLock): Promise<void> {
    const status = await this.insist('status', () => this.place.other.lock('held', { lease }).status());
    if (status?.held !== true) this.wrong('a lock whose holder relies on it is free');
    if ((await this.insist('release', () => held.release())) === true) this.note('OK');
    else this.wrong('a lock that was relied on was not held');
  }

  async #refuseStale(stale: HeldLock, fresh: HeldLock): Promise<void> {
    const name = 'guarded';
    const { subject, other } = this.place;
    await this.insist('set', () => other.map<number>(name).set('x', 1, { guard: fresh.guard }));
    const write = (): Promise<void> => subject.map<number>(name).set('x', 2, { guard: stale.guard });
    const answer = await this.ask('guarded set', write, () => undefined);
    if (answer.code === undefined) this.wrong('a stale holder wrote');
  }
}
