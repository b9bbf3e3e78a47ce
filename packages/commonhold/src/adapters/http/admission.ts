import { consumeAll, type LimitedHit } from '../../rate-limit/consume-all.js';
import { rateLimitHeaders } from '../../rate-limit/headers.js';
import type { PolicyVerdict, RateLimitVerdict } from '../../rate-limit/verdict.js';
import { type Problem, problemDocument, storeProblem } from './problem.js';
import type { ResponseHeaders } from './response-headers.js';

const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

/**
 * Counts a request under every limit or under none, and says so in the headers of the answer. Returns the problem to answer
 * with when it is refused, or the store cannot tell; undefined when it is admitted.
 */
export async function admit(hits: readonly LimitedHit[], headers: ResponseHeaders): Promise<Problem | undefined> {
  try {
    const verdict = await consumeAll(hits);
    const { 'Retry-After': retryAfter, ...fields } = rateLimitHeaders(verdict);
    for (const [name, items] of Object.entries(fields)) addItems(headers, name, items);
    return verdict.allowed ? undefined : refusal(verdict, retryAfter);
  } catch (error) {
    return problemOf(error);
  }
}

/** The answer to a store that is away. @throws every other error. */
export function problemOf(error: unknown): Problem {
  const problem = storeProblem(error);
  if (problem === undefined) throw error;
  return problem;
}

// Each limit that a request passes is an item of the same two lists.
function addItems(headers: ResponseHeaders, name: string, items: string): void {
  if (headers.isSent()) return;
  const before = headers.get(name);
  headers.set(name, before === undefined ? items : `${String(before)}, ${items}`);
}

function refusal(verdict: RateLimitVerdict, retryAfter: string | undefined): Problem {
  if (retryAfter === undefined) return { document: problemDocument(403, 'This client is not admitted.'), headers: {} };
  const document = problemDocument(429, `${refusedBy(verdict)} Try again in ${retryAfter} s.`, {
    type: quotaExceeded,
    title: 'The quota is exceeded',
    members: { 'violated-policies': violated(verdict).map(({ name }) => name) },
  });
  return { document, headers: { 'Retry-After': retryAfter } };
}

function refusedBy(verdict: RateLimitVerdict): string {
  if (verdict.reason === 'blocked') return 'This client is blocked for a time.';
  const limits = violated(verdict).map(
    ({ limit, windowMs }) => `At most ${limit} in ${windowMs / 1_000} s are allowed.`,
  );
  return limits.join(' ');
}

function violated({ policies }: RateLimitVerdict): readonly PolicyVerdict[] {
  return policies.filter(({ retryAfterMs }) => retryAfterMs > 0);
}
