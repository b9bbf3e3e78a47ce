import { type Environment, InvalidArgumentError } from 'commonhold';

/** What the environment may change. */
export interface Settings {
  /** `REDIS_SESSION_TTL`, whole seconds from 1 to 999999999: how long a session lives after its last frame. Default 3600. */
  readonly sessionTtlMs: number;
}

const longestSeconds = 999_999_999;
const standardSeconds = 3_600;

/**
 * Reads the settings of the rose tracker. An empty variable is an unset one.
 *
 * @throws {InvalidArgumentError} Naming the variable, what was expected and what came.
 */
export function readSettings(environment: Environment): Settings {
  const text = environment['REDIS_SESSION_TTL'];
  if (text === undefined || text === '') return { sessionTtlMs: standardSeconds * 1_000 };
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 1 && seconds <= longestSeconds) return { sessionTtlMs: seconds * 1_000 };
  const expected = `whole seconds from 1 to ${longestSeconds}`;
  throw new InvalidArgumentError('Environment variable REDIS_SESSION_TTL', expected, text);
}
