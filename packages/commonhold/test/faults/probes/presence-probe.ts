import type { Presence } from '../../../src/presence/presence.js';
import type { Feature } from '../codes.js';
import { FeatureProbe } from '../probe.js';

const region = 'r';

/** A member of each process, and one more that comes with each round. */
export class PresenceProbe extends FeatureProbe {
  readonly feature: Feature = 'PR';
  readonly #joined = new Set<string>(['mine']);
  #presence: Presence | undefined;
  #others: Presence | undefined;

  async prepare(): Promise<void> {
    this.#presence = this.place.subject.presence('p');
    this.#others = this.place.other.presence('p');
    await this.#presence.join({ id: 'mine', region });
    await this.#others.join({ id: 'theirs', region });
    await this.#presence.members(region);
  }

  async round(n: number): Promise<void> {
    const presence = this.#presence;
    if (presence === undefined) return;
    await this.ask(
      'members',
      () => presence.members(region),
      (members) => {
        if (members.some(({ id }) => id === 'mine')) return this.place.reach() === 'none' ? 'PL' : 'OK';
        this.gone('a member is not shown where it joined');
        return undefined;
      },
    );
    const id = `member ${n}`;
    await this.ask(
      'join',
      () => presence.join({ id, region }),
      () => {
        this.#joined.add(id);
        return this.written('PL');
      },
    );
  }

  async settle(): Promise<void> {
    const seen = this.#others;
    if (seen === undefined) return;
    const ids = async (): Promise<Set<string>> => new Set((await seen.members(region)).map(({ id }) => id));
    const first = await this.insist('members', ids);
    const whole = [...this.#joined].every((id) => first?.has(id)) && first?.has('theirs') === true;
    const rebuilt = whole || (await this.soon(async () => this.#isWhole(await ids())));
    if (!rebuilt) this.wrong('not all members are back');
    else this.note(whole ? 'OK' : 'RB');
  }

  #isWhole(shown: ReadonlySet<string>): boolean {
    return shown.has('theirs') && [...this.#joined].every((id) => shown.has(id));
  }
}
