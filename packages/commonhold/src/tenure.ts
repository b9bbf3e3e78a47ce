import type { CloseLimit } from './close-report.js';
import type { FeatureContext } from './feature-context.js';
import { LeaseKeeper } from './lease-keeper.js';
import type { LineMember } from './line-member.js';
import { Turns } from './turns.js';

/** What this process holds in the store for a time, and what it waits to hold: of every lock and run-once together. */
export class Tenure {
  readonly leases: LeaseKeeper;
  readonly turns: Turns;
  readonly #owner: string;
  #members = 0;

  constructor(context: FeatureContext) {
    this.#owner = context.owner.id;
    this.leases = new LeaseKeeper(context.clock);
    this.turns = new Turns(context);
  }

  /** One more who may wait and hold. A process that starts again has another owner id, so counting is enough. */
  newMember(): LineMember {
    this.#members += 1;
    return { owner: this.#owner, id: this.#members.toString(36) };
  }

  /** Ends all waiting, tells holders to stop and waits for them, for 5 s at most. */
  async close(limit: CloseLimit): Promise<void> {
    await Promise.all([this.turns.close(), this.leases.close(limit)]);
  }
}
