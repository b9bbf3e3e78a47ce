import type { RegionMap } from './location.js';
import type { PresenceMove } from './presence-options.js';
import type { MemberDetails } from './presence-port.js';

/** What the one who joined holds. */
export interface Membership {
  readonly id: string;
  /** Where it is, as far as this process knows; undefined when in no region. */
  readonly region: string | undefined;
  /**
   * Says that the member is there. Costs nothing by itself: a beat of the process tells the store of all members at once,
   * the next one if it is the first heartbeat, else the first after a tenth of the silence or 30 s, whichever is shorter.
   * A member that was gone for its silence is back with the next beat.
   */
  heartbeat(): void;
  /**
   * Goes to another region or location, or both, and is active; resolves to the region. Rejects with `Closed` after
   * `leave()`, and when another member has the id.
   */
  move(to: PresenceMove): Promise<string>;
  /** Leaves. Where that rejects since the store is away, it leaves when that is back. May be called twice. */
  leave(): Promise<void>;
}

/** What a stay asks of its presence. */
export interface StayHome {
  active(stay: Stay): void;
  move(stay: Stay, to: PresenceMove): Promise<string>;
  leave(stay: Stay): Promise<void>;
}

/** One member from its join until it leaves, as this process knows it. */
export class Stay implements Membership {
  readonly id: string;
  /** Tells this stay from others of the same id. */
  readonly number: number;
  /** By this process's clock; for coming back after the store lost its data. */
  readonly joinedAtMs: number;
  details: MemberDetails;
  readonly regions: RegionMap | undefined;
  /** On the monotonic clock, as all that follow. */
  activeAtMs: number;
  /** Until when the store thinks it present, if it hears nothing more. */
  endsAtMs: number = Infinity;
  /** Before which its heartbeats are not worth telling. */
  tellAtMs: number = -Infinity;
  /** The store may have it. */
  mayBeStored = false;
  /** The store may have it at another place than it is. */
  unplaced = false;
  /** It left, or another member has the id. */
  over = false;
  readonly #home: StayHome;

  constructor(
    home: StayHome,
    place: Pick<Stay, 'id' | 'number' | 'details' | 'regions'>,
    joinedAtMs: number,
    activeAtMs: number,
  ) {
    this.#home = home;
    this.id = place.id;
    this.number = place.number;
    this.details = place.details;
    this.regions = place.regions;
    this.joinedAtMs = joinedAtMs;
    this.activeAtMs = activeAtMs;
  }

  get region(): string | undefined {
    return this.details.region === '' ? undefined : this.details.region;
  }

  heartbeat(): void {
    if (!this.over) this.#home.active(this);
  }

  move(to: PresenceMove): Promise<string> {
    return this.#home.move(this, to);
  }

  leave(): Promise<void> {
    return this.#home.leave(this);
  }
}

/** `details` after a move, in which '' leaves as it is. */
export function moved(
  details: MemberDetails,
  { region, location }: { region: string; location: string },
): MemberDetails {
  return {
    ...details,
    region: region === '' ? details.region : region,
    location: location === '' ? details.location : location,
  };
}
