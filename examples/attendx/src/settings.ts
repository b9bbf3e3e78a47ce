import { type Environment, InvalidArgumentError } from 'commonhold';

/** What the environment may change. */
export interface Settings {
  /** `ATTENDX_REQUIRE_LOGIN`: whether enrolling and taking attendance need a session. Default false, as at a door. */
  readonly requireLogin: boolean;
}

/**
 * Reads the settings of AttendX. An empty variable is an unset one.
 *
 * @throws {InvalidArgumentError} Naming the variable, what was expected and what came.
 */
export function readSettings(environment: Environment): Settings {
  const text = environment['ATTENDX_REQUIRE_LOGIN'] || 'false';
  if (text === 'true' || text === 'false') return { requireLogin: text === 'true' };
  throw new InvalidArgumentError('Environment variable ATTENDX_REQUIRE_LOGIN', '"true" or "false"', text);
}
