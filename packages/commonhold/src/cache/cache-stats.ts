/** How often a cache answered how, in this process since it was opened. */
export interface CacheStats {
  /** A value that lived was found. */
  readonly hits: number;
  /** Of these, the ones that the near cache answered. */
  readonly nearHits: number;
  /** Nothing was found, or nothing that could be read. */
  readonly misses: number;
  /** Of these, the ones for which a value was found that could not be read, or did not fit the schema. */
  readonly unreadable: number;
  /** A value that had outlived its lifetime was given. */
  readonly stale: number;
  /** The store did not answer: nothing was given, what was near, or what was computed anew, or the call was rejected. */
  readonly degraded: number;
}

/** The counts as they are kept. */
export type CacheTally = { -readonly [Name in keyof CacheStats]: CacheStats[Name] };

/** All counts at zero. */
export function startTally(): CacheTally {
  return { hits: 0, nearHits: 0, misses: 0, unreadable: 0, stale: 0, degraded: 0 };
}
