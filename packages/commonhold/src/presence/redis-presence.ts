import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import { InvalidArgumentError } from '../errors.js';
import { hashTag, type Keys } from '../keys.js';
import type { NamedOperation } from '../operation.js';
import { presenceOperations as operations } from './presence-operations.js';
import {
  type ActiveMember,
  byId,
  type ChangeOutcome,
  presenceBase,
  type PresenceBeat,
  type PresenceChange,
  type PresenceChanged,
  type PresencePort,
  type PresenceSpace,
  type StoredMember,
} from './presence-port.js';

const script = (file: string): Script => loadScript(import.meta.url, file);
const scripts = {
  change: script('change.lua'),
  beat: script('beat.lua'),
  get: script('get.lua'),
  members: script('members.lua'),
  count: script('count.lua'),
  user: script('user.lua'),
};

/** Members that one script looks at: about 8 ms at the server. */
const mostRead = 1_000;

/** What describe in lua/space.lua returns. */
type MemberAnswer = readonly [
  id: string,
  endsAtMs: string,
  seat: string,
  joinedAtMs: string,
  meta: string,
  user: string,
  region: string,
  location: string,
];

type MembersAnswer = readonly [members: MemberAnswer[], skip: number, after: string];

type BeatAnswer = readonly [
  kept: number,
  more: number,
  nextEndMs: number,
  gone: string[],
  superseded: string[],
  ended: string[],
];

/**
 * The members are one hash of records; a seat, and a region, is a sorted set of ids by when their silence becomes too
 * long; users are sorted sets of user and id in the order of the alphabet; the seats are one by the end of their lease.
 * All of a presence is in one slot.
 */
export class RedisPresence implements PresencePort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async change(
    space: PresenceSpace,
    seat: string,
    leaseMs: number,
    changes: readonly PresenceChange[],
  ): Promise<PresenceChanged> {
    const args = [...sharedOf(space, seat, leaseMs), ...changes.flatMap(argumentsOf)];
    const [kept, outcomes] = (await this.#run(operations.change, scripts.change, space, args)) as [number, string[]];
    return { kept: kept === 1, outcomes: outcomes as ChangeOutcome[] };
  }

  async beat(
    space: PresenceSpace,
    seat: string,
    leaseMs: number,
    active: readonly ActiveMember[],
    bury: boolean,
  ): Promise<PresenceBeat> {
    const args = [...sharedOf(space, seat, leaseMs), bury ? '1' : '0'];
    for (const { id, number, idleMs } of active) args.push(id, String(number), String(idleMs));
    const answer = (await this.#run(operations.beat, scripts.beat, space, args)) as BeatAnswer;
    const [kept, more, nextEndMs, ...numbers] = answer;
    const [gone, superseded, ended] = numbers.map((texts) => texts.map(Number)) as [number[], number[], number[]];
    const nextEnd = nextEndMs < 0 ? undefined : nextEndMs;
    return { kept: kept === 1, more: more === 1, nextEndMs: nextEnd, gone, superseded, ended };
  }

  async get(space: PresenceSpace, id: string): Promise<StoredMember | undefined> {
    const answer = (await this.#run(operations.get, scripts.get, space, [id])) as MemberAnswer | null;
    return answer === null ? undefined : memberOf(space, answer);
  }

  async members(space: PresenceSpace, regions: readonly string[]): Promise<StoredMember[]> {
    // By id: a member that was active between two pages comes again, as it is then.
    const found = new Map<string, StoredMember>();
    let [left, after] = [regions, ''];
    while (left.length > 0) {
      const args = [after, String(mostRead), ...left];
      const page = (await this.#run(operations.members, scripts.members, space, args)) as MembersAnswer;
      for (const answer of page[0]) found.set(answer[0], memberOf(space, answer));
      left = page[1] < 0 ? [] : left.slice(page[1]);
      after = page[2];
    }
    const members = [...found.values()].toSorted(byId);
    return regions.flatMap((region) => members.filter((member) => member.region === region));
  }

  async count(space: PresenceSpace, region: string): Promise<number> {
    let [count, after] = [0, ''];
    do {
      const args = [region, after, String(mostRead)];
      const page = (await this.#run(operations.count, scripts.count, space, args)) as [number, string];
      count += page[0];
      after = page[1];
    } while (after !== '');
    return count;
  }

  async user(space: PresenceSpace, user: string): Promise<StoredMember[]> {
    const found: StoredMember[] = [];
    let after = '';
    do {
      const args = [user, after, String(mostRead)];
      const page = (await this.#run(operations.user, scripts.user, space, args)) as [MemberAnswer[], string];
      for (const answer of page[0]) found.push(memberOf(space, answer));
      after = page[1];
    } while (after !== '');
    return found.toSorted(byId);
  }

  #run(operation: NamedOperation, step: Script, space: PresenceSpace, args: readonly string[]): Promise<unknown> {
    const { prefix } = space;
    // The wire learns with each connection whether it leads into a cluster.
    if (prefix !== undefined && this.#wire.clustered && hashTag(prefix) === prefix) {
      const expected = `a hash tag on a clustered server, as in '{${prefix}}'`;
      return Promise.reject(new InvalidArgumentError('presence prefix', expected, prefix));
    }
    return this.#wire.run(operation, step, [presenceBase(this.#keys, space)], args);
  }
}

function sharedOf({ prefix, silenceMs }: PresenceSpace, seat: string, leaseMs: number): string[] {
  return [prefix ?? '', String(silenceMs), String(leaseMs), seat];
}

function argumentsOf(change: PresenceChange): string[] {
  const { kind, id, number } = change;
  const head = [kind, id, String(number)];
  if (change.kind === 'leave') return [...head, '', '', '', '', '', '', ''];
  if (change.kind === 'move') return [...head, '', change.region, change.location, '', '', '', ''];
  const { user, region, location, meta, agent } = change.details;
  return [...head, user, region, location, meta, agent, String(change.idleMs), String(change.joinedAtMs ?? '')];
}

function memberOf({ silenceMs }: PresenceSpace, answer: MemberAnswer): StoredMember {
  const [id, endsAtMs, seat, joinedAtMs, meta, user, region, location] = answer;
  const lastActivityAtMs = Number(endsAtMs) - silenceMs;
  return { id, seat, user, region, location, meta, joinedAtMs: Number(joinedAtMs), lastActivityAtMs };
}
