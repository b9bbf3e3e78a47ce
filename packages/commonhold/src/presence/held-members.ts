import type { Clock } from '../clock.js';
import type { Stay } from './membership.js';
import type { PresenceChange, PresencePort, PresenceSpace } from './presence-port.js';

type OnHeld = (space: PresenceSpace, held: HeldMembers) => void;

const listeners = new WeakMap<PresencePort, OnHeld>();

/** Has `listener` know what is held behind `port`: what goes on while the store is away. */
export function onHeld(port: PresencePort, listener: OnHeld): void {
  listeners.set(port, listener);
}

/** Says that `held` are the members of this process in `space`. */
export function holdBehind(port: PresencePort, space: PresenceSpace, held: HeldMembers): void {
  listeners.get(port)?.(space, held);
}

/** The members of one presence that this process holds, and what the store does not know of them. */
export class HeldMembers {
  readonly seat: string;
  /** By id: who is there, as far as this process knows. */
  readonly stays: Map<string, Stay> = new Map();
  /** Stays that have not begun, by number. */
  readonly joining: Map<number, Stay> = new Map();
  /** Stays that ended here, and perhaps not in the store. */
  readonly leaving: Map<number, Stay> = new Map();
  /** Stays that the store may have lost, or not have yet. */
  readonly missing: Set<Stay> = new Set();
  /** Stays that joined, moved or left while the store was away. */
  readonly unsaid: Set<Stay> = new Set();
  readonly #space: PresenceSpace;
  readonly #clock: Clock;

  constructor(seat: string, space: PresenceSpace, clock: Clock) {
    this.seat = seat;
    this.#space = space;
    this.#clock = clock;
  }

  /** How long ago the member was active. */
  idleMs(stay: Stay): number {
    return Math.ceil(this.#clock.monotonic() - stay.activeAtMs);
  }

  isPresent(stay: Stay): boolean {
    return !stay.over && this.idleMs(stay) <= this.#space.silenceMs;
  }

  keep(stay: Stay): void {
    const other = this.stays.get(stay.id);
    // Answers may come in another order than their steps were done in: of two under one id the later is there.
    if (other !== undefined && other.number > stay.number) return this.end(stay);
    if (other !== undefined && other !== stay) this.end(other);
    this.stays.set(stay.id, stay);
    stay.endsAtMs = stay.activeAtMs + this.#space.silenceMs;
  }

  end(stay: Stay): void {
    stay.over = true;
    this.forget(stay);
  }

  /** Ends a stay that is told of as having left, of which the store may not know. */
  replace(stay: Stay): void {
    this.end(stay);
    if (!stay.mayBeStored) return;
    this.leaving.set(stay.number, stay);
    this.unsaid.add(stay);
  }

  /** Holds it no longer; it comes back when it is active. */
  forget(stay: Stay): void {
    this.missing.delete(stay);
    this.unsaid.delete(stay);
    if (this.stays.get(stay.id) === stay) this.stays.delete(stay.id);
  }

  missAll(): void {
    for (const stay of this.stays.values()) this.missing.add(stay);
  }

  /** Notes that the store may have done `changes`, and said something that was not heard. */
  doubt(changes: readonly PresenceChange[]): void {
    for (const { number } of changes) {
      const stay = this.joining.get(number);
      if (stay !== undefined) stay.mayBeStored = true;
    }
    this.missAll();
  }

  /** At most `most` of those that are missing and not silent for too long, which are not missing from then on. */
  takeMissing(most: number): Stay[] {
    const taken: Stay[] = [];
    for (const stay of this.missing) {
      if (taken.length >= most) break;
      this.missing.delete(stay);
      if (stay.over) continue;
      if (this.idleMs(stay) < this.#space.silenceMs) taken.push(stay);
      else this.forget(stay);
    }
    return taken;
  }
}
