import type { Cache, Counter, Log, OpenOptions, RateLimit, Sessions, SharedMap, SharedState } from 'commonhold';
import { type CacheUtility, openCacheUtility } from './cache/cache-utility.js';
import type { Account, Profile } from './accounts/account.js';
import type { Person } from './people/person.js';

/** What a session carries beside its user. */
export interface SessionData {
  readonly user_id: string;
  readonly email: string;
}

/** All that the processes of AttendX share. */
export interface AttendxState {
  readonly shared: SharedState;
  readonly sessions: Sessions<SessionData>;
  /** By e-mail in lower case. */
  readonly accounts: SharedMap<Account>;
  /** By user id. */
  readonly profiles: SharedMap<Profile>;
  /** Profiles again, as they are read. */
  readonly profileCache: Cache<Profile>;
  /** By person id. */
  readonly people: SharedMap<Person>;
  /** By the name of the embedding and the SHA-256 of the image. */
  readonly embeddingCache: Cache<Float32Array>;
  readonly enrolments: RateLimit;
  readonly logins: RateLimit;
  readonly counters: { readonly hits: Counter; readonly misses: Counter };
  readonly utility: CacheUtility;
}

/** Opens the shared state. */
export async function openAttendxState(
  open: (options: OpenOptions & { readonly namespace: string }) => Promise<SharedState>,
  log: Log,
): Promise<AttendxState> {
  const shared = await open({ namespace: 'attendx' });
  return {
    shared,
    sessions: shared.sessions<SessionData>('session', { idle: '30m', absolute: '7d', maxPerUser: 100 }),
    // Who may log in, and who is enrolled, is written when all processes can see it, or not at all.
    accounts: shared.map<Account>('accounts', { away: 'throw' }),
    profiles: shared.map<Profile>('profiles', { away: 'stale' }),
    profileCache: shared.cache<Profile>('user', { ttl: '1h' }),
    people: shared.map<Person>('people', { changes: true, away: 'stale' }),
    // Named by what they were made of, embeddings never change: what this process has seen it need not read again.
    embeddingCache: shared.cache<Float32Array>('embedding', { ttl: '1h', near: true }),
    enrolments: shared.rateLimit('enroll', '5 per hour'),
    // Guessing passwords must not become easier while Redis is away.
    logins: shared.rateLimit('login', '10 per minute', { away: 'closed' }),
    counters: { hits: shared.counter('cache-hits'), misses: shared.counter('cache-misses') },
    utility: openCacheUtility(shared, log),
  };
}
