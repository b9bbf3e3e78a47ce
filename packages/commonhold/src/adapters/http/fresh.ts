import { type Duration, durationMs } from '../../duration.js';
import { type Problem, problemDocument } from './problem.js';
import type { RequestSession } from './request-session.js';

/**
 * What to answer where a route asks for a user who proved who they are within the last `within`; undefined where they did.
 * 401 for nobody. 403 for a user who must log in again: its document has the members of RFC 9470 that a client goes by,
 * `error: "insufficient_user_authentication"` and `max_age` in seconds.
 *
 * @throws InvalidArgumentError for what is no duration.
 */
export function freshProblem<Data extends object>(
  session: Pick<RequestSession<Data>, 'user' | 'isFresh'>,
  within: Duration,
): Problem | undefined {
  const seconds = checkWithin(within);
  if (session.user === undefined) return { document: problemDocument(401, 'Nobody is logged in.'), headers: {} };
  if (session.isFresh(within)) return undefined;
  const detail = `This needs a login of the last ${seconds} s. Log in again, and then try again.`;
  const members = { error: 'insufficient_user_authentication', max_age: seconds };
  return { document: problemDocument(403, detail, { members }), headers: {} };
}

/**
 * The duration in seconds.
 * @throws InvalidArgumentError for what is none.
 */
export function checkWithin(within: Duration): number {
  return Math.ceil(durationMs(within, 'freshness') / 1_000);
}
