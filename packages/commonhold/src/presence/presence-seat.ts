import { type Beat, beatMs, type BeatPart, leaseMs } from '../beat.js';
import { ClosedError, InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { ChangeBatch } from './change-batch.js';
import { HeldMembers, holdBehind } from './held-members.js';
import { seatOf } from './member-text.js';
import { moved, Stay, type StayHome } from './membership.js';
import { type PresenceMove, resolvePlace } from './presence-options.js';
import type {
  ActiveMember,
  ChangeOutcome,
  MemberDetails,
  PresenceBeat,
  PresenceChange,
  PresencePort,
  PresenceSpace,
} from './presence-port.js';
import type { RegionMap } from './location.js';

/** What a seat is made of. */
export interface PresenceSeatPlace {
  readonly space: PresenceSpace;
  readonly port: PresencePort;
  readonly context: FeatureContext;
  readonly beat: Beat;
  /** Called once, when something begins that must be closed with the state. */
  readonly onUse: (close: () => Promise<void>) => void;
}

/** Signs of life told in one step: about 6 ms at the server. */
const mostActive = 500;
/** Steps sent together. */
const mostSteps = 2;
/** Steps of removing in one beat. */
const mostRounds = 50;
/** Members that join again in one beat, which would keep the other parts waiting. */
const mostRestored = 2_000;
/** Members that go on and on send heartbeats more often than the store must know. */
const longestUntoldMs = 30_000;
/** Within which a member that is nearly too silent is told of: many such at once are one beat. */
const urgentMs = 100;

const known = new WeakMap<PresencePort, Map<string, PresenceSeat>>();

/**
 * The members that joined in this process, under one lease. Every beat renews the lease and tells of all that were active.
 * When the store says that it lost the seat (this process was out of reach for longer than its lease, or data was lost),
 * all members join again.
 */
export class PresenceSeat implements BeatPart, StayHome {
  readonly #place: PresenceSeatPlace;
  readonly #seat: string;
  readonly #batch: ChangeBatch;
  readonly #held: HeldMembers;
  readonly #active = new Set<Stay>();
  #listeners = 0;
  #number = 0;
  /** A step may find the seat new without telling anything that is not known. */
  #expectsNew = false;
  #used = false;
  #closed = false;

  /** The one for this presence in this process, however often the presence was opened: each has a lease to renew. */
  static of(place: PresenceSeatPlace): PresenceSeat {
    const seats = known.get(place.port) ?? new Map<string, PresenceSeat>();
    known.set(place.port, seats);
    const key = JSON.stringify(place.space);
    const seat = seats.get(key) ?? new PresenceSeat(place);
    seats.set(key, seat);
    return seat;
  }

  private constructor(place: PresenceSeatPlace) {
    const { context } = place;
    this.#place = place;
    this.#seat = seatOf(context.owner.id, context.random.bytes(3).toString('base64url'));
    this.#held = new HeldMembers(this.#seat, place.space, context.clock);
    holdBehind(place.port, place.space, this.#held);
    this.#batch = new ChangeBatch(context.clock, (changes) => this.#send(changes));
  }

  async join(id: string, details: MemberDetails, regions: RegionMap | undefined): Promise<Stay> {
    if (this.#closed) throw new ClosedError('This state');
    this.#use();
    const { clock } = this.#place.context;
    const number = ++this.#number;
    const stay = new Stay(this, { id, number, details, regions }, clock.now(), clock.monotonic());
    this.#held.joining.set(number, stay);
    try {
      await this.#enter(stay);
    } catch (error) {
      if (mayHaveRun(error)) this.#held.leaving.set(number, stay);
      throw error;
    } finally {
      this.#held.joining.delete(number);
      if (!this.#closed) this.#place.beat.add(this);
    }
    if (this.#closed) throw new ClosedError('This state');
    this.#held.keep(stay);
    return stay;
  }

  /** Takes part in the beat, so that the dead are buried and those who listen hear of it. */
  listen(): () => void {
    if (this.#closed) return () => undefined;
    this.#use();
    let listening = true;
    this.#listeners++;
    this.#place.beat.add(this);
    return () => {
      if (listening) this.#listeners--;
      listening = false;
      this.#rest();
    };
  }

  active(stay: Stay): void {
    if (this.#closed) return;
    const { beat, context } = this.#place;
    stay.activeAtMs = context.clock.monotonic();
    this.#active.add(stay);
    beat.add(this);
    // The next beat would be too late.
    if (stay.endsAtMs - stay.activeAtMs < beatMs) beat.soon(urgentMs);
  }

  async move(stay: Stay, to: PresenceMove): Promise<string> {
    const place = this.#resolve(stay, to);
    if (stay.over || this.#closed) throw over(stay);
    const { id, number } = stay;
    const change: PresenceChange = { kind: 'move', id, number, ...place };
    const movedAtMs = this.#place.context.clock.monotonic();
    this.#putBack(stay).catch(() => undefined);
    let outcome = await this.#batch.add(change);
    stay.activeAtMs = Math.max(stay.activeAtMs, movedAtMs);
    if (!stay.over && (outcome === 'gone' || (outcome === 'superseded' && (await this.#outlives(stay))))) {
      const restore = this.#restoreChange(stay, 0, moved(stay.details, place));
      // A restore of all may be under way, with the place that the member had: move once more.
      [, outcome] = await Promise.all([this.#batch.add(restore), this.#batch.add(change)]);
    }
    if (outcome === 'superseded') this.#end(stay);
    if (outcome === 'superseded' || outcome === 'gone' || stay.over) throw over(stay);
    if (outcome === 'done') stay.details = moved(stay.details, place);
    this.#held.keep(stay);
    return place.region === '' ? stay.details.region : place.region;
  }

  async leave(stay: Stay): Promise<void> {
    if (stay.over) return;
    this.#end(stay);
    await this.#leave(stay);
    this.#rest();
  }

  async beat(steady: boolean): Promise<number | undefined> {
    const heard = this.#heard();
    const held = this.#held.stays.size > 0;
    try {
      const answers = await this.#tell(heard, steady);
      if (held && !answers.every((answer) => answer.kept)) {
        this.#expectsNew = true;
        this.#held.missAll();
      }
      for (const answer of answers) this.#learn(answer, heard);
      // Who left and joined again meanwhile is to be there in the end.
      await Promise.all([...this.#held.leaving.values()].map((stay) => this.#leave(stay)));
      await this.#restore();
      const last = await this.#removeRest(answers.at(-1) as PresenceBeat, steady);
      this.#rest();
      return last.more ? 0 : last.nextEndMs;
    } catch (error) {
      for (const stay of heard.values()) {
        stay.tellAtMs = -Infinity;
        if (!stay.over) this.#active.add(stay);
      }
      if (mayHaveRun(error)) this.#held.missAll();
      throw error;
    }
  }

  /** All members join again with the next beat; called by it. */
  lost(): void {
    this.#expectsNew = true;
    this.#held.missAll();
  }

  /** All members leave. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#place.beat.remove(this);
    const leaving = new Set([
      ...this.#held.stays.values(),
      ...this.#held.leaving.values(),
      ...this.#held.joining.values(),
    ]);
    for (const stay of leaving) this.#end(stay);
    await Promise.allSettled([...leaving].map((stay) => this.#leave(stay)));
  }

  #use(): void {
    if (!this.#used) this.#place.onUse(() => this.close());
    this.#used = true;
  }

  #resolve(stay: Stay, to: PresenceMove): { readonly region: string; readonly location: string } {
    const place = resolvePlace(to, stay.regions);
    if (place.region === '' && (stay.region === undefined || place.location === '')) {
      throw new InvalidArgumentError('move', 'a region, or a location and a way to find its region', to);
    }
    return place;
  }

  async #send(changes: readonly PresenceChange[]): Promise<readonly ChangeOutcome[]> {
    const { port, space } = this.#place;
    const held = this.#held.stays.size > 0;
    try {
      const { kept, outcomes } = await port.change(space, this.#seat, leaseMs, changes);
      const lost = held && !kept && !this.#expectsNew;
      this.#expectsNew = false;
      if (lost) {
        this.#held.missAll();
        this.#place.beat.soon();
      }
      return outcomes;
    } catch (error) {
      if (mayHaveRun(error)) this.#held.missAll();
      throw error;
    }
  }

  // Where no answer came it is done again, once: by its number the store knows a join that it has done. Only where nobody
  // has the id, since who took it meanwhile came later.
  async #enter(stay: Stay): Promise<void> {
    const { id, number, details } = stay;
    const change = { id, number, details, idleMs: 0, joinedAtMs: undefined };
    try {
      stay.mayBeStored = (await this.#batch.add({ ...change, kind: 'join' })) !== 'local' || stay.mayBeStored;
    } catch (error) {
      if (!mayHaveRun(error) || this.#closed) throw error;
      const again = await this.#batch.add({ ...change, kind: 'restore' }).catch(() => 'unknown');
      if (again !== 'done') throw error;
    }
  }

  // Those of whom the store should know that they were active, by number.
  #heard(): Map<number, Stay> {
    const nowMs = this.#place.context.clock.monotonic();
    const heard = new Map<number, Stay>();
    for (const stay of this.#active) {
      const current = this.#held.stays.get(stay.id);
      // Another has joined under its id.
      if (current !== undefined && current !== stay) this.#end(stay);
      else if (stay.tellAtMs <= nowMs || stay.endsAtMs - nowMs < leaseMs) heard.set(stay.number, stay);
    }
    for (const stay of heard.values()) this.#active.delete(stay);
    return heard;
  }

  // In one turn, so in one round trip, up to a thousand; beyond that the server gets a pause for others.
  async #tell(heard: ReadonlyMap<number, Stay>, bury: boolean): Promise<PresenceBeat[]> {
    const { port, space } = this.#place;
    const stays = [...heard.values()];
    const answers: PresenceBeat[] = [];
    let step: Promise<PresenceBeat>[] = [];
    for (let start = 0; start === 0 || start < stays.length; start += mostActive) {
      const last = start + mostActive >= stays.length;
      const active = stays.slice(start, start + mostActive).map((stay) => this.#activity(stay));
      step.push(port.beat(space, this.#seat, leaseMs, active, bury && last));
      if (!last && step.length < mostSteps) continue;
      answers.push(...(await Promise.all(step)));
      step = [];
    }
    return answers;
  }

  #activity(stay: Stay): ActiveMember {
    const { context, space } = this.#place;
    const nowMs = context.clock.monotonic();
    const untoldMs = Math.min(longestUntoldMs, space.silenceMs / 10);
    // Members that joined together are not told of together for ever.
    stay.tellAtMs = nowMs + untoldMs * (0.5 + context.random.number() / 2);
    stay.endsAtMs = stay.activeAtMs + space.silenceMs;
    return { id: stay.id, number: stay.number, idleMs: Math.floor(nowMs - stay.activeAtMs) };
  }

  // Each step removes about a hundred members.
  async #removeRest(first: PresenceBeat, bury: boolean): Promise<PresenceBeat> {
    const { port, space } = this.#place;
    let answer = first;
    for (let rounds = 0; answer.more && rounds < mostRounds; rounds++) {
      answer = await port.beat(space, this.#seat, leaseMs, [], bury);
      this.#learn(answer, new Map());
    }
    return answer;
  }

  #learn({ gone, superseded, ended }: PresenceBeat, heard: ReadonlyMap<number, Stay>): void {
    for (const number of gone) this.#held.missing.add(heard.get(number) as Stay);
    for (const number of superseded) this.#end(heard.get(number) as Stay);
    if (ended.length === 0) return;
    const numbers = new Set(ended);
    for (const stay of this.#held.stays.values()) if (numbers.has(stay.number)) this.#held.stays.delete(stay.id);
  }

  // Those who are missing join again, some at a time.
  async #restore(): Promise<void> {
    const stays = this.#held.takeMissing(mostRestored);
    let away = false;
    try {
      const outcomes = await Promise.all(stays.map((stay) => this.#bring(stay)));
      for (const [index, stay] of stays.entries()) this.#noteRestored(stay, outcomes[index] as ChangeOutcome);
      away = outcomes.includes('local');
    } catch (error) {
      for (const stay of stays) this.#held.missing.add(stay);
      throw error;
    }
    if (this.#held.missing.size > 0 && !away) this.#place.beat.soon();
  }

  async #bring(stay: Stay): Promise<ChangeOutcome> {
    const outcome = await this.#bringOnce(stay);
    return outcome === 'superseded' && (await this.#outlives(stay)) ? this.#bringOnce(stay) : outcome;
  }

  // What the store has under its id may be an earlier stay of this process, which left while the store was away.
  async #outlives(stay: Stay): Promise<boolean> {
    const earlier = [...this.#held.leaving.values()].filter(({ id, number }) => id === stay.id && number < stay.number);
    await Promise.all(earlier.map((one) => this.#leave(one)));
    return earlier.length > 0;
  }

  async #bringOnce(stay: Stay): Promise<ChangeOutcome> {
    const restored = this.#batch.add(this.#restoreChange(stay, this.#held.idleMs(stay)));
    const [outcome, placed] = await Promise.all([restored, this.#putBack(stay)]);
    return placed === 'local' ? placed : outcome;
  }

  // Comes before whatever else is said of it. To the store this is activity, so that the silence of a member that moved in an
  // outage ends later by as long as it had moved before the outage ended.
  async #putBack(stay: Stay): Promise<ChangeOutcome | undefined> {
    if (!stay.unplaced) return undefined;
    stay.unplaced = false;
    const { region, location } = stay.details;
    const { id, number } = stay;
    return this.#batch.add({ kind: 'move', id, number, region, location }).catch((error: unknown) => {
      stay.unplaced = true;
      throw error;
    });
  }

  #noteRestored(stay: Stay, outcome: ChangeOutcome): void {
    if (outcome === 'superseded') return this.#end(stay);
    if (outcome === 'local') return void this.#held.missing.add(stay);
    if (stay.over) {
      this.#held.leaving.set(stay.number, stay);
      return this.#place.beat.soon();
    }
    this.#held.unsaid.delete(stay);
    this.#held.keep(stay);
  }

  #restoreChange(stay: Stay, idleMs: number, details: MemberDetails = stay.details): PresenceChange {
    const { id, number, joinedAtMs } = stay;
    // Also where its answer is lost, and it left before that shows.
    stay.mayBeStored = true;
    return { kind: 'restore', id, number, details, idleMs, joinedAtMs };
  }

  #end(stay: Stay): void {
    this.#active.delete(stay);
    this.#held.end(stay);
  }

  // Until the store has answered, every beat says it again.
  async #leave(stay: Stay): Promise<void> {
    this.#held.leaving.set(stay.number, stay);
    if ((await this.#batch.add({ kind: 'leave', id: stay.id, number: stay.number })) === 'local') return;
    this.#held.leaving.delete(stay.number);
    this.#held.unsaid.delete(stay);
  }

  #rest(): void {
    const needed =
      this.#held.stays.size + this.#active.size + this.#held.leaving.size + this.#held.missing.size + this.#listeners >
      0;
    if (!needed) this.#place.beat.remove(this);
  }
}

function over(stay: Stay): ClosedError {
  return new ClosedError(`The membership of ${JSON.stringify(stay.id)}`);
}

function mayHaveRun(error: unknown): boolean {
  return isCommonholdError(error) && error.code === 'OutcomeUnknown';
}
