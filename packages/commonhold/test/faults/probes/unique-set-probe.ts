import type { UniqueSet } from '../../../src/unique-set/unique-set.js';
import type { Feature } from '../codes.js';
import { FeatureProbe } from '../probe.js';

/** Members that are added, all of which must be there afterwards, and no others. */
export class UniqueSetProbe extends FeatureProbe {
  readonly feature: Feature = 'US';
  readonly #members = new Set<string>();
  readonly #unknown: string[] = [];
  #set: UniqueSet | undefined;

  async prepare(): Promise<void> {
    this.#set = this.place.subject.uniqueSet('u');
    await this.#set.add('base');
    await this.#set.has('base');
    this.#members.add('base');
  }

  async round(n: number): Promise<void> {
    const set = this.#set;
    if (set === undefined) return;
    const member = `member ${n}`;
    const answer = await this.ask(
      'add',
      () => set.add(member),
      () => {
        this.#members.add(member);
        return this.written('BU');
      },
    );
    if (answer.code === 'OU') this.#unknown.push(member);
    await this.ask(
      'has',
      () => set.has('base'),
      (there) => {
        if (there) return this.read;
        this.gone('a member is gone');
        return undefined;
      },
    );
  }

  async settle(): Promise<void> {
    const set = this.#set;
    if (set === undefined) return;
    for (const member of this.#unknown) {
      await this.insist('add', () => set.add(member));
      this.#members.add(member);
    }
    const seen = this.place.other.uniqueSet('u');
    const all = async (): Promise<boolean> => !(await seen.hasMany(this.#members)).includes(false);
    if (!(await this.soon(all, 3_000))) return this.gone('members are gone');
    const count = await this.insist('count', () => seen.count());
    if (count === this.#members.size) this.note('OK');
    else this.wrong(`${count} members, of ${this.#members.size} that were added`);
  }
}
