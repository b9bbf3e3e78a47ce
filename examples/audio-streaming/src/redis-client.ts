import type { SharedState } from 'commonhold';

/** What other programs ask of the store itself. */
export interface RedisClient {
  /** Whether the store takes writes right now; never rejects. */
  ping(): Promise<boolean>;
}

/** The store behind `state`, which is memory where no Redis is configured. */
export function redisClient(state: SharedState): RedisClient {
  return {
    async ping(): Promise<boolean> {
      return state.probe().then(
        () => true,
        () => false,
      );
    },
  };
}
