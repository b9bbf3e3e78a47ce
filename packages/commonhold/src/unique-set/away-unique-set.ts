import type { AwayPlace } from '../backend/resilient/away-place.js';
import type { JournalPart } from '../backend/resilient/journal-part.js';
import { Known } from '../backend/resilient/known.js';
import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import { memberBatches } from './member-batches.js';
import type { SetAddress, UniqueSetPort } from './unique-set-port.js';

/** Members that wait for the store. */
interface WaitingMembers {
  readonly set: SetAddress;
  readonly members: Set<string>;
  ttlMs: number | undefined;
}

const memberBytes = 48;

/**
 * A set without its store: members are gathered here, and united with those there when it is back. Members that this process
 * added or asked for are known; how many were new counts those that it did not know.
 */
export class AwayUniqueSet implements AwayTwin<UniqueSetPort> {
  readonly answers: AwayTwin<UniqueSetPort>['answers'];
  readonly learns: NonNullable<AwayTwin<UniqueSetPort>['learns']>;
  readonly #store: UniqueSetPort;
  readonly #members = new Known<boolean>();
  readonly #counts = new Known<number>();
  readonly #waiting: JournalPart<WaitingMembers>;

  constructor(store: UniqueSetPort, { journal }: AwayPlace) {
    this.#store = store;
    this.#waiting = journal.part<WaitingMembers>({
      replay: (_, waiting) => this.#replay(waiting),
      subject: (_, { set }) => ({ feature: 'unique set', name: set.name }),
    });
    this.learns = {
      add: (fresh, set, members) => this.#learn(set, members, true, fresh),
      delete: (gone, set, members) => this.#learn(set, members, false, -gone),
      has: (there, set, member) => this.#members.set(memberKey(set, member), there),
      hasMany: (there, set, members) =>
        members.forEach((member, index) => this.#members.set(memberKey(set, member), there[index] ?? false)),
      count: (count, set) => this.#counts.set(setKey(set), count),
      clear: (_, set) => {
        this.#members.clear();
        this.#counts.set(setKey(set), 0);
      },
    };
    this.answers = {
      add: (set, members, ttlMs) => this.#add(set, members, ttlMs),
      has: (set, member) => defined(this.#has(set, member)),
      hasMany: (set, members) => this.#hasMany(set, members),
      count: (set) => this.#count(set),
    };
  }

  holds(set: SetAddress): boolean {
    return this.#waiting.size > 0 && this.#waiting.holds(setKey(set));
  }

  sending(set: SetAddress): Promise<void> | undefined {
    return this.#waiting.size > 0 ? this.#waiting.sending(setKey(set)) : undefined;
  }

  async #add(set: SetAddress, members: readonly string[], ttlMs: number | undefined): Promise<number> {
    const fresh = [...new Set(members)].filter((member) => this.#has(set, member) !== true);
    const there = this.#waiting.get(setKey(set))?.members;
    const wanted = [...new Set(members)].filter((member) => there?.has(member) !== true);
    const bytes = wanted.reduce((sum, member) => sum + memberBytes + member.length, 0);
    const waiting = this.#waiting.enter(setKey(set), bytes, () => ({ set, members: new Set(), ttlMs }));
    for (const member of wanted) waiting.members.add(member);
    return fresh.length;
  }

  #has(set: SetAddress, member: string): boolean | undefined {
    if (this.#waiting.get(setKey(set))?.members.has(member)) return true;
    return this.#members.get(memberKey(set, member));
  }

  #hasMany(set: SetAddress, members: readonly string[]): Promise<boolean[]> | undefined {
    const found = members.map((member) => this.#has(set, member));
    return found.includes(undefined) ? undefined : Promise.resolve(found as boolean[]);
  }

  #count(set: SetAddress): Promise<number> | undefined {
    const known = this.#counts.get(setKey(set));
    const members = [...(this.#waiting.get(setKey(set))?.members ?? [])];
    if (known === undefined && members.length === 0) return undefined;
    const fresh = members.filter((member) => this.#members.get(memberKey(set, member)) !== true);
    return Promise.resolve((known ?? 0) + fresh.length);
  }

  #learn(set: SetAddress, members: readonly string[], there: boolean, more: number): void {
    for (const member of members) this.#members.set(memberKey(set, member), there);
    const count = this.#counts.get(setKey(set));
    if (count !== undefined) this.#counts.set(setKey(set), count + more);
  }

  async #replay({ set, members, ttlMs }: WaitingMembers): Promise<boolean> {
    for (const batch of memberBatches(`unique set ${set.name}`, members)) {
      const fresh = await this.#store.add(set, batch, ttlMs);
      this.#learn(set, batch, true, fresh);
      for (const member of batch) members.delete(member);
    }
    return members.size === 0;
  }
}

function defined<Answer>(answer: Answer | undefined): Promise<Answer> | undefined {
  return answer === undefined ? undefined : Promise.resolve(answer);
}

function setKey({ name, prefix }: SetAddress): string {
  return prefix === undefined ? name : `${name}\n${prefix}`;
}

function memberKey(set: SetAddress, member: string): string {
  return `${setKey(set)}\n\n${member}`;
}
