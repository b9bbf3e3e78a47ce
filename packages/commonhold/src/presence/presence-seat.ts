import { type Beat, type BeatPart, leaseMs } from '../beat.js';
import { ClosedError, InvalidArgumentError, isCommonholdError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import { ChangeBatch } from './change-batch.js';
import { seatOf } from './member-text.js';
import { Stay, type StayHome } from './membership.js';
import { type PresenceMove, resolvePlace } from './presence-options.js';
import type {
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

/** Signs of life told in one step. */
const mostActive = 500;
/** Steps sent together. */
const mostSteps = 20;
/** Steps of removing in one beat. */
const mostRounds = 50;

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
  readonly #stays = new Map<string, Stay>();
  #active = new Set<Stay>();
  /** Stays that ended here, and perhaps not in the store. */
  readonly #leaving = new Map<number, Stay>();
  #listeners = 0;
  #number = 0;
  #restoreDue = false;
  #restoring = false;
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
    this.#batch = new ChangeBatch(context.clock, (changes) => this.#send(changes));
  }

  async join(id: string, details: MemberDetails, regions: RegionMap | undefined): Promise<Stay> {
    if (this.#closed) throw new ClosedError('This state');
    this.#use();
    const { clock } = this.#place.context;
    const number = ++this.#number;
    const stay = new Stay(this, { id, number, details, regions }, clock.now(), clock.monotonic());
    try {
      await this.#batch.add({ kind: 'join', id, number, details, idleMs: 0, joinedAtMs: undefined });
    } catch (error) {
      if (mayHaveRun(error)) this.#leaving.set(number, stay);
      throw error;
    } finally {
      this.#place.beat.add(this);
    }
    this.#keep(stay);
    return stay;
  }

  /** Takes part in the beat, so that the dead are buried and those who listen hear of it. */
  listen(): () => void {
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
    stay.activeAtMs = this.#place.context.clock.monotonic();
    this.#active.add(stay);
    if (!this.#closed) this.#place.beat.add(this);
  }

  async move(stay: Stay, to: PresenceMove): Promise<string> {
    const place = this.#resolve(stay, to);
    if (stay.over || this.#closed) throw over(stay);
    const { id, number } = stay;
    const change: PresenceChange = { kind: 'move', id, number, ...place };
    let outcome = await this.#batch.add(change);
    stay.activeAtMs = this.#place.context.clock.monotonic();
    if (outcome === 'gone' && !stay.over) {
      const restore = this.#restoreChange(stay, 0, moved(stay.details, place));
      // A restore of all may be under way, with the place that the member had: move once more.
      [, outcome] = await Promise.all([this.#batch.add(restore), this.#batch.add(change)]);
    }
    if (outcome !== 'done' || stay.over) {
      if (outcome === 'superseded') this.#end(stay);
      throw over(stay);
    }
    stay.details = moved(stay.details, place);
    if (!this.#stays.has(id)) this.#keep(stay);
    return stay.details.region;
  }

  async leave(stay: Stay): Promise<void> {
    if (stay.over) return;
    this.#end(stay);
    await this.#leave(stay);
    this.#rest();
  }

  async beat(steady: boolean): Promise<number | undefined> {
    const heard = [...this.#active].filter((stay) => !stay.over);
    this.#active = new Set();
    const held = this.#stays.size > 0;
    try {
      const answers = await this.#tell(heard, steady);
      const kept = answers.every((answer) => answer.kept);
      if (held && !kept) this.#restoreDue = true;
      for (const answer of answers) this.#learn(answer);
      const gone = new Set(answers.flatMap((answer) => answer.gone));
      await this.#restore(heard.filter((stay) => gone.has(stay.id)));
      await Promise.all([...this.#leaving.values()].map((stay) => this.#leave(stay)));
      const last = await this.#removeRest(answers.at(-1) as PresenceBeat, steady);
      this.#rest();
      return last.more ? 0 : last.nextEndMs;
    } catch (error) {
      for (const stay of heard) this.#active.add(stay);
      if (mayHaveRun(error)) this.#restoreDue = true;
      throw error;
    }
  }

  /** All members leave. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#place.beat.remove(this);
    const leaving = [...this.#stays.values(), ...this.#leaving.values()];
    for (const stay of leaving) this.#end(stay);
    await Promise.allSettled(leaving.map((stay) => this.#leave(stay)));
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
    const held = this.#stays.size > 0;
    try {
      const { kept, outcomes } = await port.change(space, this.#seat, leaseMs, changes);
      if (held && !kept && !this.#restoring) this.#lost();
      return outcomes;
    } catch (error) {
      if (mayHaveRun(error)) this.#restoreDue = true;
      throw error;
    }
  }

  #lost(): void {
    this.#restoreDue = true;
    this.#place.beat.soon();
  }

  // In one turn, so in one round trip, up to many thousands; beyond that the server gets a pause for others.
  async #tell(heard: readonly Stay[], bury: boolean): Promise<PresenceBeat[]> {
    const { port, space } = this.#place;
    const answers: PresenceBeat[] = [];
    let step: Promise<PresenceBeat>[] = [];
    for (let start = 0; start === 0 || start < heard.length; start += mostActive) {
      const last = start + mostActive >= heard.length;
      step.push(port.beat(space, this.#seat, leaseMs, heard.slice(start, start + mostActive), bury && last));
      if (!last && step.length < mostSteps) continue;
      answers.push(...(await Promise.all(step)));
      step = [];
    }
    return answers;
  }

  // Each step removes about a hundred members.
  async #removeRest(first: PresenceBeat, bury: boolean): Promise<PresenceBeat> {
    const { port, space } = this.#place;
    let answer = first;
    for (let rounds = 0; answer.more && rounds < mostRounds; rounds++) {
      answer = await port.beat(space, this.#seat, leaseMs, [], bury);
      this.#learn(answer);
    }
    return answer;
  }

  #learn({ superseded, ended }: PresenceBeat): void {
    for (const id of superseded) {
      const stay = this.#stays.get(id);
      if (stay !== undefined) this.#end(stay);
    }
    for (const id of ended) this.#stays.delete(id);
  }

  // Those that were found missing; or all, when the store lost the seat.
  async #restore(missing: readonly Stay[]): Promise<void> {
    const stays = new Set(this.#restoreDue ? [...this.#stays.values(), ...missing] : missing);
    const changes: PresenceChange[] = [];
    const restored: Stay[] = [];
    for (const stay of stays) {
      const idleMs = Math.ceil(this.#place.context.clock.monotonic() - stay.activeAtMs);
      if (stay.over) continue;
      if (idleMs >= this.#place.space.silenceMs) this.#stays.delete(stay.id);
      else {
        changes.push(this.#restoreChange(stay, idleMs));
        restored.push(stay);
      }
    }
    this.#restoring = true;
    const outcomes = await Promise.all(changes.map((change) => this.#batch.add(change))).finally(() => {
      this.#restoring = false;
    });
    for (const [index, stay] of restored.entries()) {
      if (outcomes[index] === 'superseded') this.#end(stay);
      else if (!stay.over) this.#keep(stay);
      else this.#leaving.set(stay.number, stay);
    }
    this.#restoreDue = false;
  }

  #restoreChange(stay: Stay, idleMs: number, details: MemberDetails = stay.details): PresenceChange {
    const { id, number, joinedAtMs } = stay;
    return { kind: 'restore', id, number, details, idleMs, joinedAtMs };
  }

  #keep(stay: Stay): void {
    const before = this.#stays.get(stay.id);
    if (before !== undefined && before !== stay) this.#end(before);
    this.#stays.set(stay.id, stay);
  }

  #end(stay: Stay): void {
    stay.over = true;
    this.#active.delete(stay);
    if (this.#stays.get(stay.id) === stay) this.#stays.delete(stay.id);
  }

  // Until the store has answered, every beat says it again.
  async #leave(stay: Stay): Promise<void> {
    this.#leaving.set(stay.number, stay);
    await this.#batch.add({ kind: 'leave', id: stay.id, number: stay.number });
    this.#leaving.delete(stay.number);
  }

  #rest(): void {
    const needed = this.#stays.size + this.#active.size + this.#leaving.size + this.#listeners > 0;
    if (!needed) this.#place.beat.remove(this);
  }
}

function moved(details: MemberDetails, { region, location }: { region: string; location: string }): MemberDetails {
  return {
    ...details,
    region: region === '' ? details.region : region,
    location: location === '' ? details.location : location,
  };
}

function over(stay: Stay): ClosedError {
  return new ClosedError(`The membership of ${JSON.stringify(stay.id)}`);
}

function mayHaveRun(error: unknown): boolean {
  return isCommonholdError(error) && error.code === 'OutcomeUnknown';
}
