import type { FeatureContext } from './feature-context.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Turns } from './turns.js';

/** What this process holds in the store for a time, and what it waits to hold: of every lock and run-once together. */
export class Tenure {
  readonly leases: LeaseKeeper;
  readonly turns: Turns;

  constructor(context: FeatureContext) {
    this.leases = new LeaseKeeper(context.clock);
    this.turns = new Turns(context);
  }

  /** Ends all waiting, tells holders to stop and waits for them, for 5 s at most. */
  async close(): Promise<void> {
    await Promise.all([this.turns.close(), this.leases.close()]);
  }
}
